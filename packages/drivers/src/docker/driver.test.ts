import { driverConformance } from '../conformance/suite.ts';
import { TEST_IMAGE, testEngine } from '../testing/test-engine.ts';
import { DockerDriver } from './driver.ts';

driverConformance('docker', {
  image: TEST_IMAGE,
  open: async (home) => DockerDriver.open({ socketPath: await testEngine(), home }),
});
