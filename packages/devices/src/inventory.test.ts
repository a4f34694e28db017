import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HealthReport, Reading } from './accelerator.ts';
import { Cordons } from './cordons.ts';
import { Inventory } from './inventory.ts';

const home = mkdtempSync(join(tmpdir(), 'vgpu-inventory-'));
afterEach(() => rmSync(home, { recursive: true, force: true }));

const open = () => {
  const told: HealthReport[] = [];
  const events = { onHealth: (reports: readonly HealthReport[]) => void told.push(...reports) };
  return { told, inventory: new Inventory(events, [], new Cordons(home)) };
};
const reading = (seconds: number): Reading => ({
  uuid: 'GPU-a',
  time: 1_700_000_000_000 + seconds * 1000,
  utilisation: 0,
  memoryUsed: 0,
  temperature: null,
  power: null,
  processes: [],
});
const bad = (reason: string, recovers?: boolean): HealthReport => ({
  uuid: 'GPU-a',
  health: 'unhealthy',
  reason,
  ...(recovers === undefined ? {} : { recovers }),
});

describe('the health of a device', () => {
  it('that did not answer comes back after a minute of answers, in one piece', () => {
    const { told, inventory } = open();
    inventory.report([bad('the device is lost', true)]);
    inventory.note(reading(1));
    inventory.note(reading(40));
    inventory.report([bad('the device is lost', true)]); // and is lost again: the minute begins anew
    inventory.note(reading(41));
    inventory.note(reading(100));
    expect(inventory.health('GPU-a')).toEqual({ health: 'unhealthy', reason: 'the device is lost' });
    inventory.note(reading(101));
    expect(inventory.health('GPU-a')).toEqual({ health: 'healthy', reason: null });
    expect(told.map((one) => one.health)).toEqual(['unhealthy', 'healthy']);
  });

  it('stays after an Xid, until an administrator takes it back in', () => {
    const { told, inventory } = open();
    inventory.report([bad('Xid 79')]);
    inventory.report([bad('the device is lost', true)]);
    for (let second = 0; second < 600; second += 10) inventory.note(reading(second));
    expect(inventory.health('GPU-a')).toEqual({ health: 'unhealthy', reason: 'Xid 79' });
    inventory.uncordon('GPU-a');
    expect(inventory.health('GPU-a').health).toBe('healthy');
    expect(told.map((one) => one.health)).toEqual(['unhealthy', 'healthy']);
  });

  it('is draining while cordoned, over a restart, and worse if it is unhealthy too', () => {
    open().inventory.cordon('GPU-a', 'cordoned by ada');
    const { inventory } = open();
    expect(inventory.health('GPU-a')).toEqual({ health: 'draining', reason: 'cordoned by ada' });
    inventory.report([bad('Xid 48')]);
    expect(inventory.health('GPU-a').health).toBe('unhealthy');
    inventory.uncordon('GPU-a');
    expect(inventory.health('GPU-a').health).toBe('healthy');
    expect(open().inventory.health('GPU-a').health).toBe('healthy');
  });
});
