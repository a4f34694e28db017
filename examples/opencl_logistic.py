"""Logistic regression trained by OpenCL kernels: python opencl_logistic.py data.csv [--target COLUMN]

    vgpu image build opencl
    vgpu run examples/opencl_logistic.py --data examples/datasets/breast-cancer.csv \\
        --image opencl --gpu 0.25 --vram 256MiB --follow

Numeric columns are the features; the target must have two values. Needs numpy, pandas and pyopencl, and any OpenCL
device, a CPU through PoCL included.
"""

import argparse
import os

import numpy as np
import pandas as pd
import pyopencl as cl

try:
    import vgpu
except ImportError:  # outside vgpu
    vgpu = None

KERNELS = """
// The error of each row: its predicted probability less its label.
__kernel void errors(__global const float *x, __global const float *y, __global const float *w,
                     __global float *error, const int columns) {
  const int row = get_global_id(0);
  float sum = 0;
  for (int c = 0; c < columns; c++) sum += x[row * columns + c] * w[c];
  error[row] = 1 / (1 + exp(-sum)) - y[row];
}
// One step down the gradient, one work item for each weight.
__kernel void descend(__global const float *x, __global const float *error, __global float *w,
                      const int rows, const int columns, const float rate) {
  const int c = get_global_id(0);
  float gradient = 0;
  for (int r = 0; r < rows; r++) gradient += x[r * columns + c] * error[r];
  w[c] -= rate * gradient / rows;
}
"""


def arguments():
    parser = argparse.ArgumentParser(description='Logistic regression on an OpenCL device.')
    parser.add_argument('path', nargs='?', default=os.environ.get('VGPU_DATASET'), help='the CSV file')
    parser.add_argument('--target', default=os.environ.get('VGPU_TARGET'), help='default: the last column')
    parser.add_argument('--epochs', type=int, default=20)
    parser.add_argument('--steps', type=int, default=50, help='steps of each epoch')
    parser.add_argument('--rate', type=float, default=0.5)
    return parser.parse_args()


def load(path, target):
    table = pd.read_csv(path).sample(frac=1, random_state=0)
    target = target or table.columns[-1]
    classes = sorted(table[target].unique())
    if len(classes) != 2:
        raise SystemExit(f'{target} has {len(classes)} values; this example needs two')
    features = table.drop(columns=target).select_dtypes('number')
    features = (features - features.mean()) / features.std().replace(0, 1)
    x = np.column_stack([features.fillna(0), np.ones(len(table))]).astype(np.float32)
    return x, (table[target] == classes[1]).to_numpy(np.float32)


def main():
    args = arguments()
    x, y = load(args.path, args.target)
    cut = len(x) * 4 // 5
    context = cl.create_some_context(interactive=False)
    queue = cl.CommandQueue(context)
    device = context.devices[0]
    print(f'{device.name.strip()}, {device.global_mem_size / 2**20:.0f} MiB')
    kernels = cl.Program(context, KERNELS).build()
    errors, descend = cl.Kernel(kernels, 'errors'), cl.Kernel(kernels, 'descend')
    rows, columns = np.int32(cut), np.int32(x.shape[1])

    def buffer(values):
        flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
        return cl.Buffer(context, flags, hostbuf=np.ascontiguousarray(values))

    weights, error = np.zeros(columns, np.float32), np.empty(cut, np.float32)
    x_dev, y_dev, w_dev, error_dev = (buffer(v) for v in (x[:cut], y[:cut], weights, error))
    for epoch in range(args.epochs):
        for _ in range(args.steps):
            errors(queue, (cut,), None, x_dev, y_dev, w_dev, error_dev, columns)
            descend(queue, (int(columns),), None, x_dev, error_dev, w_dev, rows, columns, np.float32(args.rate))
        cl.enqueue_copy(queue, error, error_dev)
        loss = float(-np.log(np.clip(1 - np.abs(error), 1e-7, 1)).mean())
        print(f'epoch {epoch + 1}/{args.epochs} loss={loss:.4f}')
        if vgpu:
            vgpu.log(epoch, loss=loss)
    cl.enqueue_copy(queue, weights, w_dev)
    predicted = (x[cut:] @ weights > 0).astype(int)
    truth = y[cut:].astype(int)
    print(f'accuracy on {len(truth)} rows that were kept back: {(predicted == truth).mean():.4f}')
    if vgpu:
        vgpu.report(truth, predicted)


if __name__ == '__main__':
    main()
