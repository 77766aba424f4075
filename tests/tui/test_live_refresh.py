"""What another process writes shows by itself."""

import subprocess
import sys
import time
from pathlib import Path

from catalog.database import Catalog
from tests.tui.driving import Open, screen_text, wait_for
from tui.widgets.video_list import VideoList

OTHER_PROCESS = """
import sys
from pathlib import Path
from catalog import captions
from catalog.database import open_catalog
from catalog.home import find_home
from tests.tui.factory import Sample, add_video

catalog = open_catalog(find_home(sys.argv[1]))
with catalog.write() as session:
    captions.edit(session, 7, "다른 프로그램이 쓴 글")
    add_video(session, Path(sys.argv[1]), 99, Sample("새로 온 영상.mp4", state="queued"))
"""


async def test_another_process_writes(samples: Catalog, open_app: Open) -> None:
    async with open_app(samples) as pilot:
        rows = pilot.app.screen.query_one(VideoList)
        await pilot.press("j", "space")
        here, marks = rows.current, set(rows.marks)
        home = str(samples.home.data_dir)
        root = Path(__file__).parents[2]
        other = subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, home], cwd=root)
        await wait_for(pilot, lambda: other.poll() is not None, seconds=20)
        written = time.monotonic()
        assert other.returncode == 0
        await wait_for(pilot, lambda: "다른 프로그램이 쓴 글" in screen_text(pilot))
        await wait_for(pilot, lambda: "새로 온 영상" in screen_text(pilot))
        assert time.monotonic() - written < 2.0
        assert rows.current == here
        assert rows.marks == marks
        assert rows.cursor == 3
