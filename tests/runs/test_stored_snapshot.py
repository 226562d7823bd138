from __future__ import annotations

import numpy as np
import pytest

from mmgraph.errors import RunDamagedError
from mmgraph.runs import RunReader, Snapshot, StoredSnapshot


@pytest.fixture
def recorded(new_run):
    run = new_run()
    array = np.random.default_rng(0).random((3, 2, 5, 4)).astype(np.float32)
    snapshot = Snapshot(
        "attention", "blocks.0", array, extras={"rows": np.array([4, 8, 9])}, notes={"keys": "frame"}
    )
    run.snapshots(3, [snapshot, Snapshot("embedding", "fc", np.zeros((2, 2)))], wait=True)
    with RunReader(run.folder) as reader:
        return run.folder, reader.snapshots(kind="attention")[0], array


def test_parts_are_those_of_the_whole(recorded):
    folder, info, array = recorded
    with StoredSnapshot(folder, info) as stored:
        assert stored.shape == array.shape
        assert stored.axes == ("items", "heads", "queries", "keys")
        assert stored.notes == {"keys": "frame"}
        assert stored.extras["rows"].tolist() == [4, 8, 9]
        np.testing.assert_array_equal(stored.part(), array)
        np.testing.assert_array_equal(stored.part(2), array[2])
        np.testing.assert_array_equal(stored.part(1, 1), array[1, 1])
        np.testing.assert_array_equal(stored.part(0, 1, 4), array[0, 1, 4])
        with pytest.raises(RunDamagedError, match="could not be read"):
            stored.part(7)


def test_what_is_not_there_is_said(recorded):
    folder, info, _ = recorded
    path = folder / "snapshots" / info.file
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunDamagedError, match=r"should hold the snapshot 'attention/blocks\.0'"):
        StoredSnapshot(folder, info)
    path.unlink()
    with pytest.raises(RunDamagedError, match="missing"):
        StoredSnapshot(folder, info)
