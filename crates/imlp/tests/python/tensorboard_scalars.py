"""What TensorBoard itself reads from event files that may be unfinished.

    tensorboard_scalars.py FOLDER

prints a line per value, without its time: run, tag, step, value.
"""

import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

for run in sorted(Path(sys.argv[1], "tensorboard").iterdir()):
    events = EventAccumulator(str(run), size_guidance={"scalars": 0}, purge_orphaned_data=False)
    events.Reload()
    for tag in sorted(events.Tags()["scalars"]):
        for event in events.Scalars(tag):
            print(run.name, tag, event.step, repr(event.value))
