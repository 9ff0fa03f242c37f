# Looks at every process ten times a second, as scripts do that watch with
# psutil; prints how many children of a process it has seen when it is stopped.
import sys
import time

import psutil

parent = int(sys.argv[1])
seen = set()
try:
    print("polling", file=sys.stderr, flush=True)
    while True:
        for process in psutil.process_iter(["pid", "ppid", "name", "io_counters", "create_time"]):
            if process.info["ppid"] == parent:
                seen.add((process.info["pid"], process.info["create_time"]))
        time.sleep(0.1)
except KeyboardInterrupt:
    print(len(seen))
