"""llama.cpp's HTTP server on a GGUF file, from the wheel of xllamacpp: prints its address and serves until its input ends.

Usage: served-llama-cpp.py MODEL.gguf [--alias NAME] [--template FILE] [--parallel N] [--threads N]
"""
import argparse
import sys

import xllamacpp

parser = argparse.ArgumentParser()
parser.add_argument('model')
parser.add_argument('--alias', default='model')
parser.add_argument('--template')
parser.add_argument('--parallel', type=int, default=4)
parser.add_argument('--threads', type=int, default=1)
given = parser.parse_args()

params = xllamacpp.CommonParams()
params.model.path = given.model
params.model_alias = {given.alias}
params.hostnames = ['127.0.0.1']
params.port = 0
params.n_ctx = 4096
params.n_parallel = given.parallel
params.n_gpu_layers = 0
# Two would wait for each other in a loop where other programs run.
params.cpuparams.n_threads = given.threads
params.cpuparams_batch.n_threads = given.threads
params.use_jinja = True
if given.template:
    params.chat_template = open(given.template, encoding='utf-8').read()
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
