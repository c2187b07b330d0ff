import { findAdapter, readShader } from '../../engine/adapter.js';
import { openWebGpu, type Device } from '../../engine/index.js';

/** The device that tests run on: a real GPU if there is one, else software; CTR_ADAPTER chooses. */
export async function testDevice(): Promise<Device> {
  const { adapter, name, kind } = await findAdapter('auto');
  return openWebGpu({ adapter, name, kind, readShader });
}
