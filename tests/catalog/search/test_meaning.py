"""Search by meaning: a real small model, the index beside the catalog, fusion, and what goes wrong."""

import json
import os
import signal
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from catalog.database import Catalog, open_catalog
from catalog.errors import HaeseolError, InterruptedByUserError, UsageError
from catalog.home import Home, find_home
from catalog.library import FileSeen, place_file
from catalog.schema import Document, Video
from catalog.search.meaning import opening, store, upkeep
from catalog.search.meaning.asking import Meaning
from catalog.search.meaning.embedder import Embedder, model_fingerprint
from catalog.search.meaning.fusion import fuse
from catalog.search.meaning.model import StaticModel
from catalog.search.meaning.upkeep import Counts, bring_up_to_date
from catalog.sqlite import sqlite3
from tests.catalog.search.meaning_model import CAPTIONS, build

NEW_CAPTIONS = {
    "침입자": "복면을 쓴 도둑이 금고를 뒤진다.",
    "반려견": "강아지가 꼬리를 흔들며 짖는다.",
    "폭설": "함박눈이 골목에 쌓여 제설차가 치운다.",
    "어머니": "부엌에서 찌개가 끓는다.",
    "예식장 하객": "신랑이 신부에게 반지를 끼운다.",
}
"""A query, and a caption without any of its words; the model was made without these captions."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that knows the words of `CAPTIONS`."""
    return build(tmp_path_factory.mktemp("model"))


def add(catalog: Catalog, texts: list[str], field: str = "caption") -> list[int]:
    """A video whose documents are these texts; their ids."""
    with catalog.write() as session:
        name = f"{texts[0][:8]}.mp4"
        number = len(session.query(Video).all())
        seen = FileSeen(f"/videos/{number}/{name}".encode(), 100 + number, 1, "8")
        video_id, _ = place_file(session, seen, name)
        documents = [Document(video_id=video_id, field=field, text=text) for text in texts]
        session.add_all(documents)
        session.flush()
        return [document.id for document in documents]


def rows(home: Home) -> list[tuple[object, ...]]:
    """The whole index, as it can be compared."""
    with closing(sqlite3.connect(opening.index_file(home))) as index:
        query = "SELECT document_id, text_hash, bits, code FROM coarse LEFT JOIN fine USING (document_id)"
        return [tuple(row) for row in index.execute(f"{query} ORDER BY document_id")]


def assert_like_new(catalog: Catalog, model: Path) -> None:
    """The index is row by row what a rebuild from scratch makes."""
    found = rows(catalog.home)
    for file in catalog.home.data_dir.glob("meaning.db*"):
        file.unlink()
    bring_up_to_date(catalog, model)
    assert found == rows(catalog.home)
    assert len(found) >= 1


# Fusion


def test_fusion_sums_reciprocal_ranks() -> None:
    assert fuse(["a", "b", "c"], ["b", "d"]) == [
        ("b", 1 / 62 + 1 / 61),
        ("a", 1 / 61),
        ("d", 1 / 62),
        ("c", 1 / 63),
    ]
    assert fuse([1, 2], [3], weights=(1, 0.5), k=0) == [(1, 1.0), (2, 0.5), (3, 0.5)]
    assert fuse([], []) == []


@given(st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=4))
def test_fusion_ranks_everything_once_and_the_best_of_all_first(rankings: list[list[int]]) -> None:
    fused = fuse(*rankings)
    items = [item for item, _ in fused]
    scores = [score for _, score in fused]
    assert sorted(items) == sorted({item for ranking in rankings for item in ranking})
    assert scores == sorted(scores, reverse=True)
    if rankings and all(ranking and ranking[0] == 7 for ranking in rankings):
        assert items[0] == 7


# The model


def test_synonyms_are_nearer_than_other_words(model: Path) -> None:
    loaded = StaticModel(model)
    burglar, intruder, bride = loaded.encode(["도둑", "침입자", "신부"])
    assert burglar @ intruder > 0.3 > burglar @ bride


def test_the_form_of_the_text_does_not_matter(model: Path) -> None:
    loaded = StaticModel(model)
    text = "강아지가 공원을 산책한다."
    forms = [text, unicodedata.normalize("NFD", text), text.replace(".", "．")]
    assert len(set(loaded.codes(forms))) == 1
    assert loaded.codes(["뷁", ""]) == [bytes(loaded.dimension)] * 2, "nothing is known of them"
    assert len(loaded.codes(["강아지 " * 50_000, "\udcff"])) == 2


def test_a_quantized_vocabulary_gives_the_same_vectors(model: Path, tmp_path: Path) -> None:
    """`mapping` and `weights` stand for a matrix with shared rows."""
    plain = StaticModel(model)
    matrix = load_file(model / "model.safetensors")["embeddings"]
    unique, mapping = np.unique(matrix, axis=0, return_inverse=True)
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((model / name).read_bytes())
    tensors = {
        "embeddings": unique / 2,
        "mapping": mapping.astype(np.int64).ravel(),
        "weights": np.full(len(matrix), 2.0, np.float32),
    }
    save_file(tensors, tmp_path / "model.safetensors")
    assert np.allclose(plain.encode(CAPTIONS), StaticModel(tmp_path).encode(CAPTIONS), atol=1e-6)


# Asking


@pytest.fixture(scope="module")
def archive(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A catalog of captions that the model has not seen, and some that it has."""
    catalog = open_catalog(find_home(tmp_path_factory.mktemp("home")))
    add(catalog, [*NEW_CAPTIONS.values(), *CAPTIONS])
    assert bring_up_to_date(catalog, model).finished
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def meaning(archive: Catalog, model: Path) -> Iterator[Meaning]:
    with Meaning(archive.home, model) as opened:
        yield opened


def text_of(catalog: Catalog, document_id: int) -> str:
    with catalog.read() as connection:
        row = connection.execute("SELECT text FROM document WHERE id = ?", (document_id,))
        return str(row.fetchone()[0])


def pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1) if text[i : i + 2].isalnum()}


@pytest.mark.parametrize(("query", "caption"), NEW_CAPTIONS.items())
def test_a_caption_is_found_without_a_common_word(
    archive: Catalog, meaning: Meaning, query: str, caption: str
) -> None:
    assert not pairs(query) & pairs(caption)
    near = [text_of(archive, one) for one, _ in meaning.nearest(query, 15)]
    assert caption in near


def test_the_nearest_come_first_and_the_unrelated_not_at_all(
    archive: Catalog, meaning: Meaning
) -> None:
    found = meaning.nearest("폭설", 100)
    distances = [distance for _, distance in found]
    assert distances == sorted(distances)
    assert 3 <= len(found) < 20
    assert "눈" in text_of(archive, found[0][0])
    assert meaning.nearest("뷁") == []
    assert meaning.nearest("") == []


def test_only_the_given_documents_are_looked_at(meaning: Meaning) -> None:
    everywhere = [one for one, _ in meaning.nearest("폭설", 5)]
    assert [one for one, _ in meaning.nearest("폭설", 5, within=everywhere[2:4])] == everywhere[2:4]
    assert meaning.nearest("폭설", within=[]) == []


def test_what_both_found_is_first_and_words_come_before_meaning(
    archive: Catalog, meaning: Meaning
) -> None:
    near = [one for one, _ in meaning.nearest("침입자")]
    stranger = next(one for one, _ in meaning.nearest("신부") if one not in near)
    blend = meaning.blend([stranger, near[1]], "침입자")
    ranked = [one for one, _ in blend.ranking]
    assert ranked[:2] == [near[1], stranger]
    assert ranked[2:] == [near[0], *near[2:]]
    assert blend.trouble == ""


@given(st.text(max_size=80))
def test_any_text_can_be_asked(meaning: Meaning, query: str) -> None:
    assert all(0 <= distance <= 2 for _, distance in meaning.nearest(query))


def test_a_search_can_be_interrupted(meaning: Meaning) -> None:
    index = meaning._index()
    index.set_progress_handler(lambda: 1, 1)
    with pytest.raises(InterruptedByUserError):
        meaning.blend([1], "폭설")
    index.set_progress_handler(None, 0)
    assert meaning.blend([1], "폭설").trouble == ""


def test_few_of_the_nearest_are_lost_by_looking_at_signs_first(home: Home) -> None:
    home.data_dir.mkdir(parents=True)
    random = np.random.default_rng(1)
    centres = random.standard_normal((60, 256))
    vectors = centres[random.integers(0, 60, 6000)] + random.standard_normal((6000, 256))
    scaled = np.rint(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127).astype(np.int8)
    codes = [store.Code(i, i, code.tobytes()) for i, code in enumerate(scaled)]
    exact = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    kept = 0
    with closing(opening.open_for_writing(home)) as index:
        store.write(index, "random", 256, codes, None)
        for query in range(0, 6000, 300):
            nearest = {one for one, _ in store.nearest(index, scaled[query].tobytes(), 10)}
            kept += len(nearest & set(np.argsort(-(exact @ exact[query]))[:10].tolist()))
    assert kept >= 0.97 * 20 * 10


# Upkeep


def test_only_sentences_are_embedded(catalog: Catalog, model: Path) -> None:
    captions = add(catalog, CAPTIONS[:3])
    notes = add(catalog, CAPTIONS[3:5], field="note")
    add(catalog, ["강아지"], field="tag")
    bring_up_to_date(catalog, model)
    with catalog.read() as connection:
        titles = connection.execute("SELECT id FROM document WHERE field = 'title'").fetchall()
    expected = {*captions, *notes, *(row[0] for row in titles)}
    assert {row[0] for row in rows(catalog.home)} == expected


def test_an_interrupted_pass_goes_on_where_it_was(
    catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_BATCH", 10)
    monkeypatch.setattr(upkeep, "_LOOK", 25)
    add(catalog, CAPTIONS)
    told: list[Counts] = []
    first = bring_up_to_date(catalog, model, told.append, lambda: len(told) >= 3)
    assert not first.finished
    assert 20 <= first.embedded <= 30
    second = bring_up_to_date(catalog, model, told.append)
    assert second.finished
    assert first.embedded + second.embedded == len(rows(catalog.home)) >= len(CAPTIONS)
    assert told[-1].progress == 1.0
    assert bring_up_to_date(catalog, model) == Counts(progress=1.0, finished=True)
    assert_like_new(catalog, model)


_KILLED = """
import os, signal, sys
from pathlib import Path
from catalog.database import open_catalog
from catalog.home import find_home
from catalog.search.meaning import upkeep
upkeep._BATCH = 10
def kill(counts):
    if counts.embedded >= 30:
        os.kill(os.getpid(), signal.SIGKILL)
upkeep.bring_up_to_date(open_catalog(find_home(sys.argv[1])), Path(sys.argv[2]), kill)
"""


def test_a_killed_pass_goes_on_where_it_was(catalog: Catalog, model: Path) -> None:
    add(catalog, CAPTIONS)
    command = [sys.executable, "-c", _KILLED, str(catalog.home.data_dir), str(model)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert len(rows(catalog.home)) == 30
    counts = bring_up_to_date(catalog, model)
    assert counts.embedded > len(CAPTIONS) - 30
    assert_like_new(catalog, model)


def test_edits_and_deletions_are_followed(catalog: Catalog, model: Path) -> None:
    first, second, *others = add(catalog, CAPTIONS[:40])
    bring_up_to_date(catalog, model)
    with catalog.write() as session:
        session.get_one(Document, first).text = "신부가 부케를 던진다."
        session.get_one(Document, second).text = "뷁"
        for one in (others[0], others[-1]):
            session.delete(session.get_one(Document, one))
    counts = bring_up_to_date(catalog, model)
    assert (counts.embedded, counts.removed) == (2, 2)
    with Meaning(catalog.home, model) as meaning:
        assert meaning.nearest("신부", 1)[0][0] == first
        assert second not in {one for one, _ in meaning.nearest("강아지", 100)}
    assert_like_new(catalog, model)
    with catalog.write() as session:
        for video in session.query(Video):
            session.delete(video)
    bring_up_to_date(catalog, model)
    assert rows(catalog.home) == []


def test_another_model_makes_the_index_anew(catalog: Catalog, model: Path, tmp_path: Path) -> None:
    other = build(tmp_path / "other", dimension=20)
    add(catalog, CAPTIONS)
    bring_up_to_date(catalog, model)
    assert not bring_up_to_date(catalog, other, should_stop=lambda: True).finished
    with Meaning(catalog.home, model) as meaning, Meaning(catalog.home, other) as of_other:
        assert meaning.nearest("강아지"), (
            "the old index answers until the first new codes are there"
        )
        with pytest.raises(HaeseolError, match="another model"):
            of_other.nearest("강아지")
        counts = bring_up_to_date(catalog, other)
        assert counts.embedded == len(rows(catalog.home))
        assert of_other.nearest("강아지")
        with pytest.raises(HaeseolError, match="another model"):
            meaning.nearest("강아지")
    assert_like_new(catalog, other)


def test_whoever_finds_the_index_finds_its_tables(tmp_path: Path) -> None:
    for number in range(20):
        home = find_home(tmp_path / str(number))
        home.data_dir.mkdir(parents=True)
        (home.data_dir / "meaning.db.new").write_bytes(b"left by one that was killed")
        found: list[object] = []

        def look(home: Home = home, found: list[object] = found) -> None:
            while not opening.index_file(home).exists():
                pass
            try:
                with closing(opening.open_for_reading(home)) as index:
                    found.append(store.stamped_model(index))
            except Exception as error:
                found.append(error)

        reader = threading.Thread(target=look)
        reader.start()
        opening.open_for_writing(home).close()
        reader.join()
        assert found == [None]
        assert opening.index_file(home).stat().st_mode & 0o777 == 0o600
        assert not list(home.data_dir.glob("*.new*"))


def test_two_may_bring_it_up_to_date_at_once(
    catalog: Catalog, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_BATCH", 5)
    add(catalog, CAPTIONS)
    results: list[Counts] = []
    threads = [
        threading.Thread(target=lambda: results.append(bring_up_to_date(catalog, model)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [counts.finished for counts in results] == [True, True]
    assert_like_new(catalog, model)


def test_a_third_model_does_not_throw_the_second_away(home: Home) -> None:
    home.data_dir.mkdir(parents=True)
    with closing(opening.open_for_writing(home)) as index:
        store.write(index, "second", 8, [store.Code(1, 1, b"\1" * 8)], None)
        with pytest.raises(HaeseolError, match="another haeseol"):
            store.write(index, "third", 8, [store.Code(1, 1, b"\2" * 8)], None)
        assert store.stamped_model(index) == "second"


# What goes wrong


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def broken(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def cut_short(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def with_few_rows(folder: Path) -> None:
    save_file({"embeddings": np.ones((3, 16), np.float32)}, folder / "model.safetensors")


def with_other_tensors(folder: Path) -> None:
    save_file({"weight": np.ones((3, 16), np.float32)}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (without("tokenizer.json"), "tokenizer.json cannot be read"),
        (without("model.safetensors"), "model.safetensors cannot be read"),
        (broken("tokenizer.json", b"{}"), "does not load"),
        (broken("config.json", b"\xff"), "does not load"),
        (broken("model.safetensors", b"\xff" * 99), "does not load"),
        (broken("model.safetensors", b""), "does not load"),
        (cut_short, "does not load"),
        (with_few_rows, "tokens, its matrix only 3"),
        (with_other_tensors, "no matrix named"),
    ],
)
def test_a_damaged_model_is_one_sentence(
    catalog: Catalog, tmp_path: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    add(catalog, CAPTIONS[:5])
    folder = build(tmp_path / "model")
    damage(folder)
    with pytest.raises(HaeseolError, match=sentence) as caught:
        bring_up_to_date(catalog, folder)
    assert "meaning_model" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_a_wrong_setting(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="meaning_model"):
        bring_up_to_date(catalog, tmp_path / "none")


def words_alone(home: Home, model: Path) -> str:
    """The trouble that is told when a search goes on without meaning."""
    with Meaning(home, model) as meaning:
        blend = meaning.blend([5, 3], "강아지")
        assert [one for one, _ in blend.ranking] == [5, 3]
        assert meaning.blend([5], "강아지").trouble == blend.trouble
    return blend.trouble


def test_search_goes_on_by_words_and_says_why(
    catalog: Catalog, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not made yet" in words_alone(catalog.home, model)
    add(catalog, CAPTIONS[:40])
    bring_up_to_date(catalog, model)
    assert "meaning_model" in words_alone(catalog.home, tmp_path / "none")
    with monkeypatch.context() as patched:
        patched.setattr(opening, "find_spec", lambda name: None)
        assert "sqlite-vec" in words_alone(catalog.home, model)
    with closing(sqlite3.connect(opening.index_file(catalog.home))) as index, index:
        index.execute("UPDATE fine SET code = x'0102030405060708'")
    assert "cannot be used" in words_alone(catalog.home, model), "codes of another dimension"
    for file in catalog.home.data_dir.glob("meaning.db*"):
        file.write_bytes(b"no database" * 100)
    assert "delete it" in words_alone(catalog.home, model)
    with pytest.raises(HaeseolError, match="delete it"):
        bring_up_to_date(catalog, model)


def test_a_model_process_that_dies_is_started_again(model: Path) -> None:
    with Embedder(model) as embedder:
        before = embedder.codes(["강아지"])
        assert embedder._process is not None
        os.kill(embedder._process.pid, signal.SIGKILL)
        embedder._process.wait()
        with pytest.raises(HaeseolError, match="ended"):
            embedder.codes(["강아지"])
        assert embedder.codes(["강아지"]) == before


def test_the_model_process_ends_with_its_user(model: Path) -> None:
    embedder = Embedder(model)
    embedder.start()
    embedder.codes(["강아지"])
    process = embedder._process
    assert process is not None
    embedder.close()
    assert process.returncode == 0


def test_models_are_told_apart(model: Path, tmp_path: Path) -> None:
    assert model_fingerprint(build(tmp_path / "same")) == model_fingerprint(model)
    assert model_fingerprint(build(tmp_path / "other", dimension=16)) != model_fingerprint(model)


# What it may not do


_WATCHED = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"):
        open({log!r}, "a").write(event)
        raise OSError("no network in this test")
sys.addaudithook(refuse)
"""


def test_nothing_asks_the_network(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    (tmp_path / "sitecustomize.py").write_text(_WATCHED.format(log=str(log)), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with Embedder(model) as embedder:
        assert any(embedder.codes(["강아지"])[0])
    assert not log.exists()
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    control = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False)
    assert control.returncode != 0
    assert log.read_text().startswith("socket.")


_ASKING = """
import json, sys
from pathlib import Path
import catalog.search.query.asking
before = [name for name in sys.modules if name.startswith("catalog.search.meaning")]
from catalog.home import find_home
from catalog.search.meaning.asking import Meaning
with Meaning(find_home(sys.argv[1]), Path(sys.argv[2])) as meaning:
    found = len(meaning.nearest("강아지"))
print(json.dumps([before, found, sorted(sys.modules)]))
"""


def test_asking_loads_no_model_into_the_asking_process(archive: Catalog, model: Path) -> None:
    output = subprocess.run(
        [sys.executable, "-c", _ASKING, str(archive.home.data_dir), str(model)],
        capture_output=True,
        check=True,
    ).stdout
    before, found, modules = json.loads(output)
    assert before == [], "search itself does not import it"
    assert found > 0
    heavy = {
        "numpy",
        "tokenizers",
        "safetensors",
        "torch",
        "transformers",
        "sqlalchemy",
        "pydantic",
    }
    assert heavy & set(modules) == set()
