// What goes wrong if PLANT says so; without it, one file comes and goes.
const { spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");

const kept = [];

describe("planted", function () {
  it("does what PLANT says", function () {
    this.timeout(0);
    const plant = process.env.PLANT;
    const size = plant === "bytes" ? Number(process.env.PLANT_BYTES) : 1;
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "planted-"));
    fs.writeFileSync(path.join(dir, "planted"), Buffer.alloc(size, "."));
    if (plant === "subprocess") {
      if (spawnSync("/bin/true").status !== 0) throw new Error("true failed");
    } else if (plant === "files") {
      for (let index = 0; index < 100; index += 1) {
        fs.closeSync(fs.openSync(path.join(dir, `f-${index}`), "w"));
      }
    } else if (plant === "leak") {
      kept.push(Buffer.alloc(256 << 20, 1));
    } else if (plant === "crash") {
      spawnSync("/bin/sh", ["-c", "kill -SEGV $$"]);
    }
    fs.rmSync(dir, { recursive: true });
  });
});
