"""A PyTorch process that holds memory on a GPU until its stdin ends."""

import json
import sys

import torch

held = torch.empty(int(sys.argv[1]), dtype=torch.uint8, device="cuda")
held.fill_(1)
torch.cuda.synchronize()
print(json.dumps({"held_bytes": held.numel()}), flush=True)
sys.stdin.read()
