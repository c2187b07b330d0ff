import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../data/errors.js';
import type { Metrics } from './state.js';

/** A line of metrics.jsonl, as the logger wrote it. */
export type Event = Readonly<Record<string, unknown>>;

/** Where a run's events are. */
export const historyPath = (folder: string): string => join(folder, 'metrics.jsonl');

/**
 * The events of a run, in order. A last line without its end was cut off by a crash and is left out. Throws
 * DataError on any other line that is no event, naming file and line, and the system's error if the file
 * cannot be read.
 */
export async function readEvents(folder: string): Promise<readonly Event[]> {
  const path = historyPath(folder);
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.slice(0, -1).map((line, i) => {
    const event = parsed(line);
    if (event !== null) return event;
    throw new DataError(`"${line.slice(0, 40)}" is no event of a run; remove the line`, path, i + 1);
  });
}

function parsed(line: string): Event | null {
  try {
    const value: unknown = JSON.parse(line);
    const isEvent = typeof value === 'object' && value !== null && 'event' in value;
    return isEvent ? (value as Event) : null;
  } catch {
    return null;
  }
}

/** What a run tells of an epoch; `valid` is null where it was not evaluated. */
export interface EpochEvent extends Event {
  readonly epoch: number;
  readonly valid: Metrics | null;
}

const isEpoch = (event: Event): event is EpochEvent =>
  event.event === 'epoch' && typeof event.epoch === 'number';

/** The epochs of a run in order, each once: after a crash the last epoch is trained, and told of, again. */
export function epochEvents(events: readonly Event[]): readonly EpochEvent[] {
  const byEpoch = new Map(events.filter(isEpoch).map((event) => [event.epoch, event] as const));
  return [...byEpoch].sort(([a], [b]) => a - b).map(([, event]) => event);
}
