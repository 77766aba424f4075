"""Makes a small real embedding model out of Korean captions, in the format of the package model2vec.

Subwords are learnt from the captions (byte pair encoding), and their vectors are what they stand
beside: positive pointwise mutual information over captions, reduced by a singular value decomposition
(Levy, Goldberg, "Neural word embedding as implicit matrix factorization", NIPS 2014).
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CAPTIONS = """
강아지가 목줄을 매고 주인과 함께 공원을 산책한다.
반려견이 목줄을 하고 산책로를 걷다가 꼬리를 흔든다.
댕댕이가 꼬리를 흔들며 산책을 나가자고 짖는다.
강아지가 꼬리를 흔들며 사료를 먹는다.
반려견이 간식을 달라고 짖으며 앞발을 든다.
댕댕이가 간식을 먹고 나서 주인의 손을 핥는다.
강아지가 낯선 사람을 보고 짖는다.
반려견이 마당에서 공을 물고 달려와 주인 앞에 내려놓는다.
댕댕이가 공을 물고 마당을 뛰어다닌다.
강아지 두 마리가 마당에서 짖으며 장난을 친다.
반려견 유치원에서 목줄을 푼 개들이 짖는다.
댕댕이가 사료 그릇 앞에서 꼬리를 흔든다.
고양이가 캣타워에 올라가 창밖을 본다.
고양이가 야옹 하고 울며 그루밍을 한다.
길고양이가 담장 위에서 그루밍을 하며 야옹 운다.
새끼 고양이가 캣타워에서 낚시 장난감을 쫓는다.
자동차가 신호등 앞에서 멈춰 서고 교차로가 막힌다.
승용차가 교차로에서 좌회전을 하다가 경적을 울린다.
차량이 고속도로에서 차선을 바꾸며 추월한다.
승용차가 차선을 벗어나 가드레일에 부딪힌다.
자동차가 고속도로 정체로 천천히 움직인다.
차량 두 대가 교차로에서 부딪혀 범퍼가 깨진다.
승용차가 주차장에 들어와 후진으로 주차한다.
자동차가 주차장 차단기 앞에서 멈춘다.
차량이 신호등을 어기고 교차로를 지나간다.
운전자가 경적을 울리며 차선을 바꾼다.
자동차의 범퍼가 주차장 기둥에 부딪힌다.
트럭이 고속도로 차선을 막고 정체가 이어진다.
엄마가 부엌에서 김치찌개를 끓이며 간을 본다.
어머니가 냄비에 된장찌개를 끓이고 두부를 넣는다.
요리사가 도마 위에서 양파를 썰어 냄비에 넣는다.
할머니가 부엌에서 반죽을 밀어 칼국수를 끓인다.
엄마가 프라이팬에 달걀을 부치고 소금을 뿌린다.
어머니가 도마에서 파를 썰어 찌개에 넣는다.
요리사가 프라이팬을 흔들며 볶음밥을 볶는다.
부엌에서 찌개가 끓고 밥 냄새가 난다.
어머니가 양념을 버무려 김치를 담근다.
엄마가 양념에 고기를 재워 프라이팬에 굽는다.
파도가 모래사장으로 밀려오고 아이들이 튜브를 탄다.
해변에서 사람들이 파라솔 아래 누워 파도를 본다.
바닷가 모래사장에서 아이가 모래성을 쌓는다.
해수욕장에서 튜브를 낀 아이가 파도를 탄다.
바닷가에서 갈매기가 날고 파도가 바위에 부서진다.
해변의 모래사장을 맨발로 걷는다.
해수욕장에 파라솔이 늘어서고 갈매기가 난다.
바다에서 서핑하는 사람이 파도를 탄다.
선생님이 칠판에 공식을 쓰고 학생들이 받아 적는다.
교수가 강의실에서 칠판을 가리키며 공식을 설명한다.
강사가 강의 화면의 그래프를 설명한다.
학생들이 교실에서 문제를 풀고 선생님이 답을 설명한다.
교수가 강의실 화면에 그래프를 띄운다.
강사가 칠판에 문제를 풀며 공식을 설명한다.
학생이 교실에서 손을 들고 선생님에게 질문한다.
강의실에서 학생들이 교수의 설명을 받아 적는다.
축구 선수가 골을 넣고 관중이 환호한다.
공격수가 골키퍼를 제치고 골대에 슛을 찬다.
골키퍼가 슛을 막아 내고 관중이 박수를 친다.
야구 선수가 홈런을 치고 관중석이 환호한다.
투수가 공을 던지고 타자가 홈런을 친다.
심판이 호루라기를 불고 선수에게 경고를 준다.
축구 경기장에서 관중이 응원가를 부르며 환호한다.
공격수가 슛을 차지만 골대를 맞고 나온다.
눈이 펑펑 내려 마을이 하얗게 덮인다.
폭설로 도로가 얼어붙고 제설차가 눈을 치운다.
함박눈이 내리는 골목에서 눈사람을 만든다.
폭설이 내려 지붕에 눈이 쌓인다.
함박눈이 쌓여 제설차가 골목의 눈을 치운다.
장대비가 쏟아져 하천이 불어나고 우산이 뒤집힌다.
소나기가 쏟아져 사람들이 우산을 펴고 뛴다.
폭우로 하천이 넘치고 도로가 물에 잠긴다.
장대비에 우산을 쓴 사람들이 버스를 기다린다.
태풍으로 나무가 쓰러지고 폭우가 쏟아진다.
신랑과 신부가 결혼식장에서 반지를 주고받는다.
신부가 웨딩드레스를 입고 부케를 던진다.
결혼식에서 하객들이 박수를 치고 주례가 축하한다.
신랑이 신부에게 반지를 끼워 주고 하객이 축하한다.
예식장에서 웨딩드레스를 입은 신부가 부케를 든다.
하객들이 예식장에서 신랑 신부와 사진을 찍는다.
용접공이 공장에서 철판을 용접하며 불꽃을 튀긴다.
작업자가 안전모를 쓰고 컨베이어의 부품을 조립한다.
로봇 팔이 컨베이어에서 부품을 집어 조립한다.
공장 작업자가 안전모를 쓰고 기계를 점검한다.
컨베이어가 멈추자 작업자가 기계를 점검한다.
용접 불꽃이 튀고 작업자가 철판을 나른다.
도둑이 창문을 깨고 사무실에 들어와 서랍을 뒤진다.
복면을 쓴 사람이 금고를 뒤지고 달아난다.
침입자가 창문으로 들어와 사무실 금고를 연다.
도둑이 복면을 쓰고 서랍을 뒤지다가 달아난다.
침입자가 사무실 서랍을 뒤지고 창문으로 달아난다.
경비원이 손전등을 들고 사무실 복도를 돈다.
가수가 무대에서 노래를 부르고 조명이 번쩍인다.
밴드가 무대에서 기타를 치며 노래한다.
관객이 공연장에서 야광봉을 흔들며 노래를 따라 부른다.
가수가 공연장에서 춤을 추고 조명이 바뀐다.
밴드의 기타 연주에 관객이 야광봉을 흔든다.
아기가 엉금엉금 기어가다가 옹알이를 한다.
갓난아기가 요람에서 젖병을 물고 잠든다.
아기가 젖병을 물고 옹알이를 하며 웃는다.
갓난아기가 기저귀를 갈고 나서 요람에서 웃는다.
아기의 기저귀를 갈고 요람을 흔들어 재운다.
등산객이 바위 능선을 올라 정상에서 사진을 찍는다.
등산로에서 배낭을 멘 사람이 지팡이를 짚고 오른다.
산악회 사람들이 배낭을 메고 정상에 오른다.
등산객이 능선에서 배낭을 내리고 쉰다.
""".strip().splitlines()
"""Captions of a home, a lecture hall, a studio, a factory and a street, several on each topic."""

DIMENSION = 32
_SUBWORDS = 500


def build(folder: Path, captions: Sequence[str] = CAPTIONS, dimension: int = DIMENSION) -> Path:
    """Learns a model from the captions and saves it in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _learn_subwords(captions)
    save_file({"embeddings": _learn_vectors(tokenizer, captions, dimension)}, _file(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"model_type": "model2vec", "normalize": True, "hidden_dim": dimension}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _file(folder: Path) -> str:
    return str(folder / "model.safetensors")


def _learn_subwords(captions: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Metaspace()]
    )
    # Not the unigram trainer: it makes another vocabulary each time.
    trainer = trainers.BpeTrainer(
        vocab_size=_SUBWORDS, special_tokens=["<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(captions, trainer)
    return tokenizer


def _learn_vectors(
    tokenizer: Tokenizer, captions: Sequence[str], dimension: int
) -> NDArray[np.float32]:
    size = tokenizer.get_vocab_size()
    beside = np.zeros((size, size))
    for caption in captions:
        ids = sorted(set(tokenizer.encode(caption).ids))
        beside[np.ix_(ids, ids)] += 1
    np.fill_diagonal(beside, 0)
    total, each = beside.sum(), beside.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(beside * total / np.outer(each, each))
    information = np.where(np.isfinite(information), np.maximum(information, 0), 0)
    left, strength, _ = np.linalg.svd(information)
    vectors = left[:, :dimension] * np.sqrt(strength[:dimension])
    # What stands in many captions, such as particles, says little about any.
    rare = np.log((1 + len(captions)) / (1 + _captions_with(tokenizer, captions)))
    for token, place in tokenizer.get_vocab().items():
        if not any(character.isalnum() for character in token):
            rare[place] = 0
    return np.ascontiguousarray(vectors * rare[:, None], dtype=np.float32)


def _captions_with(tokenizer: Tokenizer, captions: Sequence[str]) -> NDArray[np.float64]:
    counts = np.zeros(tokenizer.get_vocab_size())
    for caption in captions:
        counts[list(set(tokenizer.encode(caption).ids))] += 1
    return counts
