# Looks at every process once a second and asks psutil of each what a look of
# genome-trace's tells; prints after each look of how many sleeping children of
# a process it was told.
import sys
import time

import psutil

WANTED = [
    "pid", "ppid", "name", "uids", "create_time", "memory_info", "cpu_times", "num_threads",
    "num_fds", "io_counters",
]  # fmt: skip

parent, due = int(sys.argv[1]), float(sys.argv[2])
while due < time.monotonic():
    due += 1
while True:
    time.sleep(max(0, due - time.monotonic()))
    due += 1
    seen = 0
    for process in psutil.process_iter(WANTED):
        told = process.info
        if told["ppid"] == parent and told["name"] == "sleep" and told["io_counters"]:
            seen += 1
    print(seen, flush=True)
