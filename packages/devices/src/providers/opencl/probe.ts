/** Prints the OpenCL devices of this host as one line of JSON. A process of its own: see probe-process.ts. */
import { listClDevices } from './cl.ts';

// a limiter that is loaded into the probe would show a slice instead of the device
delete process.env.OPENCL_LAYERS;
process.stdout.write(`${JSON.stringify({ devices: listClDevices() })}\n`);
