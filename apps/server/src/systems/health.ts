import { statfs } from 'node:fs/promises';
import type { finding, health } from '@vgpu/api';
import { formatBytes } from '@vgpu/core';
import type { z } from 'zod';
import type { Devices } from './devices.ts';
import type { Engine } from './engine.ts';

type Finding = z.output<typeof finding>;
type HealthView = z.output<typeof health>;

/** Below this much free space new logs, files and datasets are in danger. */
const LOW_DISK_BYTES = 2 * 2 ** 30;

/** Whether the server can do its work, and what to do where it cannot. */
export class Health {
  readonly #parts: { engine: Engine; devices: Devices; home: string; version: string };
  readonly #startedAt = Date.now();
  ready = false;

  constructor(parts: { engine: Engine; devices: Devices; home: string; version: string }) {
    this.#parts = parts;
  }

  async look(): Promise<HealthView> {
    const findings = [this.#engine(), ...this.#engineWarnings(), await this.#disk(), ...this.#devices()];
    const well = findings.every((one) => one.level !== 'fail');
    return {
      status: this.ready ? (well ? 'ok' : 'degraded') : 'starting',
      version: this.#parts.version,
      startedAt: this.#startedAt,
      findings,
    };
  }

  #engine(): Finding {
    const { engine } = this.#parts;
    if (engine.connected) {
      const known = engine.known;
      return {
        name: 'engine',
        level: 'ok',
        text: `${known?.engine} ${known?.version} answers`,
        advice: null,
      };
    }
    return {
      name: 'engine',
      level: 'fail',
      text: `no container engine answers: ${engine.problem}`,
      advice: 'Run `vgpu doctor`, then `vgpu setup`. Tasks wait until it is there.',
    };
  }

  #engineWarnings(): Finding[] {
    const warnings = this.#parts.engine.known?.warnings ?? [];
    return warnings.map((text) => ({ name: 'isolation', level: 'warn', text, advice: null }));
  }

  async #disk(): Promise<Finding> {
    const { bavail, bsize } = await statfs(this.#parts.home);
    const free = bavail * bsize;
    const text = `${formatBytes(free)} free under ${this.#parts.home}`;
    return free < LOW_DISK_BYTES
      ? { name: 'disk', level: 'warn', text, advice: 'Delete old jobs with `vgpu rm`, or move VGPU_HOME.' }
      : { name: 'disk', level: 'ok', text, advice: null };
  }

  #devices(): Finding[] {
    const { inventory } = this.#parts.devices;
    return [
      ...inventory.problems.map(
        (text): Finding => ({ name: 'accelerators', level: 'warn', text, advice: 'Run `vgpu doctor`.' }),
      ),
      ...this.#parts.devices.withoutMps().map(({ device, why, required }): Finding => {
        const text = `${device.model} ${device.uuid} has no MPS: ${why}`;
        const advice = required
          ? 'Its pool requires MPS: slices of it fail.'
          : 'Its slices take turns instead.';
        return { name: 'accelerators', level: required ? 'warn' : 'ok', text, advice };
      }),
      ...inventory.accelerators.flatMap((device): Finding[] => {
        const { health: state, reason } = inventory.health(device.uuid);
        if (state === 'healthy') return [];
        const text = `${device.model} ${device.uuid} is ${state}${reason ? `: ${reason}` : ''}`;
        return [{ name: 'accelerators', level: 'warn', text, advice: 'Nothing new is placed on it.' }];
      }),
    ];
  }
}
