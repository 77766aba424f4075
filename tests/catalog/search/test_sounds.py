"""Loan-words in their spellings, native words that must stay apart, and Latin words as they are read."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.korean.letter_names import WORDS, letter_names, letter_readings
from catalog.search.korean.sounds import sound_key, sound_keys

# The first is the spelling of the National Institute of Korean Language, the second one in use beside it.
LOAN_WORDS = [
    tuple(pair.split("/"))
    for pair in """
    초콜릿/초콜렛 초콜릿/초코렛 로봇/로보트 케이크/케익 케이크/케잌 카페/까페 슈퍼/수퍼
    메시지/메세지 소시지/소세지 액세서리/악세사리 바비큐/바베큐 텔레비전/텔레비젼 랍스터/로브스터
    뷔페/부페 티셔츠/티샤쓰 센터/센타 콘텐츠/컨텐츠 앰뷸런스/앰블란스 앰뷸런스/앰블런스
    플래카드/플랭카드 플래카드/플랜카드 리더십/리더쉽 주스/쥬스 도넛/도너츠 파이팅/화이팅
    프라이팬/후라이팬 프라이드/후라이드 커튼/커텐 커피숍/커피샵 워크숍/워크샵 재킷/자켓 재킷/쟈켓
    샌들/샌달 캐러멜/카라멜 캐러멜/캬라멜 카탈로그/카달로그 배터리/밧데리 마사지/맛사지 사인/싸인
    버스/뻐스 가스/까스 재즈/째즈 점퍼/잠바 슬리퍼/슬리파 컨트롤/콘트롤 콘셉트/컨셉트 콘셉트/컨셉
    타깃/타겟 로켓/로케트 세트/셋트 네트워크/네트웍 네트워크/네트웤 테이프/테입 테이프/테잎
    스케이트/스케잇 비스킷/비스켓 브로콜리/브로컬리 블록/블럭 디지털/디지탈 크리스털/크리스탈
    심포지엄/심포지움 알코올/알콜 에어컨/에어콘 리모컨/리모콘 컨테이너/콘테이너 오리지널/오리지날
    파일/화일 판타지/환타지 포일/호일 프런트/프론트 스티로폼/스치로폴 스펀지/스폰지 샐러드/사라다
    요구르트/요거트 요구르트/야쿠르트 소파/쇼파 스웨터/스웨타 선글라스/썬글라스 선글라스/썬그라스
    셔츠/샤쓰 라이선스/라이센스 라이터/라이타 내비게이션/네비게이션 애플리케이션/어플리케이션
    데이터/데이타 모터/모타 미스터리/미스테리 밸런스/발란스 보닛/본네트 블라우스/브라우스
    비전/비젼 서비스/써비스 소켓/소케트 스노보드/스노우보드 스태프/스탭 스티커/스티카
    악센트/액센트 앙코르/앙콜 에스컬레이터/에스카레이터 엘리베이터/엘레베이터 오렌지/오랜지
    옐로카드/옐로우카드 잉글리시/잉글리쉬 카운슬러/카운셀러 카펫/카페트 캐비닛/캐비넷 컬러/칼라
    컴퓨터/컴퓨타 코미디/코메디 크리스마스/크리스머스 클라이맥스/클라이막스 타월/타올
    트로트/트롯트 팸플릿/팜플렛 페스티벌/페스티발 퓨즈/휴즈 프레젠테이션/프리젠테이션
    플라스틱/프라스틱 피에로/삐에로 피망/삐망 할로윈/핼러윈 헬멧/헬맷 헬멧/헬메트
    바리케이드/바리케이트 배지/뱃지 배지/뺏지 샤시/섀시 소나타/쏘나타 스피커/스피카 시디/씨디
    시시티브이/씨씨티비 아이섀도/아이쉐도우 아웃렛/아울렛 마니아/매니아 매뉴얼/메뉴얼 지프/찝
    차트/챠트 케첩/케찹 클리닉/크리닉 킥보드/퀵보드 트럭/추럭 파마/퍼머 펜션/팬션
    헤드라이트/헤드라잇 백미러/빽미러 골든리트리버/골든리트리바 톱스타/탑스타 햄버거/햄버가
    카스텔라/카스테라 스파게티/스파게띠 파스타/빠스타 소주/쏘주 짜장면/자장면 돈가스/돈까스
    호치키스/호찌키스 러닝머신/런닝머신 러닝/런닝 스키장/스끼장
    """.split()
]
NATIVE_WORDS = """
    사진 사전 공원 공언 개 게 기차 기자 사람 사랑 바다 보다 바람 보람 나무 너무 하늘 마늘 가방
    가발 고기 거기 아기 여기 이야기 고양이 강아지 송아지 망아지 병아리 항아리 학교 학과 학생 교수
    교사 의사 이사 간호사 변호사 회사 회의 가게 가구 가수 고수 가족 가죽 거리 고리 꼬리 머리 마리
    다리 자리 소리 사리 저리 유리 우리 오리 요리 의자 의지 여자 여지 남자 감자 과자 모자 부자 부지
    사자 상자 글자 시장 사장 공장 광장 극장 농장 목장 운동장 주차장 주장 도로 두루 도시 다시 도착
    도구 친구 축구 야구 농구 배구 지구 출구 입구 수영 수염 수업 사업 직업 작업 졸업 노래 나래 모래
    미래 고래 파도 포도 지도 자도 기도 가도 태도 온도 속도 습도 정도 제도 전화 전하 영화 만화 대화
    동화 문화 운동 이동 행동 자동 감동 활동 아침 점심 저녁 오전 오후 오늘 어제 내일 매일 요일 과일
    파일 가을 겨울 여름 봄 거울 서울 저울 방울 얼굴 굴뚝 동굴 눈물 강물 선물 건물 인물 동물 식물
    음식 의식 소식 휴식 지식 방식 형식 결혼 이혼 신혼 할머니 어머니 아버지 할아버지 주머니
    아주머니 아저씨 언니 누나 오빠 동생 조카 자전거 자동차 전차 주차 세차 마차 택시 접시 가위 바위
    다위 더위 추위 귀신 기신 당근 두부 부두 바지 치마 이마 처마 하마 가마 고개 날개 조개 번개
    무지개 안개 베개 배게 찌개 지게 가지 돼지 먼지 반지 편지 단지 잔디 사과 사고 광고 창고 냉장고
    최고 재고 보고 나비 너비 제비 준비 비누 비둘기 딸기 달기 연기 연어 인어 문어 오징어 고등어
    잉어 상어 언어 영어 국어 국기 경기 전기 공기 용기 인기 감기 일기 아파트 계단 개단 제단 화단
    화분 하분 화장 하장 화가 호수 파수 포수 보수 박수 국수 옥수수 선수 순수 장수 정수 점수 접수
    눈사람 사다리 다람쥐 개구리 너구리 병원 정원 직원 회원 의원 침대 군대 시대 무대 그네 시소
    미끄럼틀 모래사장 꿀벌 구름 기름 거름 씨름 시름 이름 주름 까치 가치 김치 참치 눈치 망치 뿌리
    부리 토끼 도끼 따다 타다 다다 쏘다 소다 짜다 차다 자다 싸다 사다 쓰다 크다 끄다 가다 까다
""".split()


def test_most_spellings_of_a_loan_word_meet() -> None:
    same = [pair for pair in LOAN_WORDS if sound_key(pair[0]) == sound_key(pair[1])]
    found = [(a, b) for a, b in LOAN_WORDS if sound_key(b) in sound_keys(a)]
    found_back = [(a, b) for a, b in LOAN_WORDS if sound_key(a) in sound_keys(b)]
    assert len(same) >= 0.35 * len(LOAN_WORDS)
    assert len(found) >= 0.85 * len(LOAN_WORDS)
    assert len(found_back) >= 0.85 * len(LOAN_WORDS)


def test_native_words_rarely_meet() -> None:
    keys = {word: sound_key(word) for word in NATIVE_WORDS}
    same = [(a, b) for a, b in combinations(NATIVE_WORDS, 2) if keys[a] == keys[b]]
    respelt = [
        (a, b) for a in NATIVE_WORDS for b in NATIVE_WORDS if a != b and keys[b] in sound_keys(a)
    ]
    assert len(same) <= 7, same  # 씨름 시름, 배게 베개 and five verbs such as 싸다 사다
    assert len(respelt) - 2 * len(same) <= 9


@pytest.mark.parametrize(
    "spellings",
    """
    로봇/로보트 케이크/케익/케잌 카페/까페 슈퍼/수퍼 주스/쥬스 도넛/도너츠 리더십/리더쉽
    센터/센타 텔레비전/텔레비젼
    네트워크/네트웍 사인/싸인 스노보드/스노우보드 시시티브이/씨씨티비 테이프/테입/테잎 세트/셋트
    """.split(),
)
def test_one_key_for_spellings_that_sound_the_same(spellings: str) -> None:
    assert len({sound_key(word) for word in spellings.split("/")}) == 1


@pytest.mark.parametrize(
    "spellings",
    """
    초콜릿/초콜렛 초콜릿/초코렛 메시지/메세지 소시지/소세지 액세서리/악세사리 바비큐/바베큐
    랍스터/로브스터 뷔페/부페 콘텐츠/컨텐츠
    앰뷸런스/앰블란스 플래카드/플랭카드 파이팅/화이팅 프라이팬/후라이팬 에어컨/에어콘 마사지/맛사지
    """.split(),
)
def test_respellings_lead_from_one_to_the_other(spellings: str) -> None:
    official, other = spellings.split("/")
    assert sound_key(official) != sound_key(other)
    assert sound_key(other) in sound_keys(official)


@pytest.mark.parametrize(
    "words",
    "사진/사전 공원/공언 기차/기자 개/게 마크/막 도우미/도미 말/발 고양이/강아지 가수/고수".split(),
)
def test_words_that_are_not_the_same(words: str) -> None:
    one, other = words.split("/")
    assert sound_key(other) not in sound_keys(one)


@pytest.mark.parametrize(
    ("latin", "readings"),
    [
        ("bmw", ("비엠더블유",)),
        ("cctv", ("씨씨티브이",)),
        ("usb", ("유에스비",)),
        ("4k", ("포케이", "사케이")),
        ("mp3", ("엠피쓰리", "엠피삼")),
        ("1080p", ("천팔십피", "일공팔공피")),
        ("k-pop", ("케이팝",)),
        ("kpop", ("케이팝",)),
        ("iphone", ("아이폰",)),
        ("iphone15", ("아이폰십오", "아이폰일오")),
        ("vlog", ("브이로그",)),
        ("haenyeo", ()),
        ("2026", ()),
        ("café", ()),
        ("", ()),
    ],
)
def test_latin_words_are_read(latin: str, readings: tuple[str, ...]) -> None:
    assert letter_readings(latin) == readings


def test_latin_words_share_the_key_of_their_reading() -> None:
    assert sound_key("bmw") == sound_key("비엠더블유")
    assert sound_key("cctv") == sound_key("시시티비") == sound_key("씨씨티브이")
    assert sound_key("tv") == sound_key("티비")
    assert sound_key("사케이") in sound_keys("4k")
    assert sound_key("drone") == sound_key("드론")
    assert letter_names("u2") == "유이"


def test_the_table_of_words_is_in_normal_form() -> None:
    assert len(WORDS) <= 80
    assert all(latin == latin.lower() and latin.isascii() for latin in WORDS)


@given(st.text(max_size=40))
def test_any_text_has_few_keys_and_its_own_is_the_first(text: str) -> None:
    keys = sound_keys(text)
    assert keys[0] == sound_key(text)
    assert 1 <= len(keys) <= 160


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), max_size=12))
def test_any_word_of_syllables_has_distinct_keys(word: str) -> None:
    keys = sound_keys(word)
    assert keys[0] == sound_key(word)
    assert len(set(keys)) == len(keys) <= 160
