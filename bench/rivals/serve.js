/**
 * What the rivals in JavaScript share: the server that bench/rival.ts asks by lines of JSON, and reading the weights
 * and batches that bench/same_start.ts writes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

/** The version of an installed package. */
export function versionOf(name) {
  const file = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** Tensors of a folder by name, each { shape, data }: Float32Array, or Int32Array where the start says i32. */
export function readStart(folder) {
  const { tensors } = JSON.parse(readFileSync(join(folder, 'start.json'), 'utf8'));
  const bytes = readFileSync(join(folder, 'start.bin'));
  const values = ({ type, shape, offset }) => {
    const count = shape.reduce((product, axis) => product * axis, 1);
    const part = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * count);
    return { shape, data: type === 'i32' ? new Int32Array(part) : new Float32Array(part) };
  };
  return new Map(tensors.map((tensor) => [tensor.name, values(tensor)]));
}

/** Steps through the batches, which are joined and in order already: rows [B,F] and labels [B] of one batch at a time. */
class Batches {
  constructor(start, { batch, epochSteps }) {
    const { shape, data } = start.get('batch/rows');
    Object.assign(this, { batch, epochSteps, fields: shape[1], rows: data });
    this.labels = start.get('batch/labels').data;
  }

  at(step) {
    const { batch, fields } = this;
    const from = (step % this.epochSteps) * batch;
    return {
      rows: this.rows.subarray(from * fields, (from + batch) * fields),
      labels: this.labels.subarray(from, from + batch),
    };
  }
}

/** Names and tensors of the parameters. */
const parametersOf = (start) => [...start].filter(([name]) => !name.startsWith('batch/'));

/**
 * Answers requests until stdin ends. `open(parameters, sizes, batches)` makes a training whose `step(batch)` trains one
 * batch { rows, labels } and resolves to its loss.
 */
export async function serve(greeting, open) {
  say(greeting);
  let [training, batches, at] = [undefined, undefined, 0];
  const answer = async (request) => {
    if (request.open !== undefined) {
      if (request.open.from === undefined)
        throw new Error('it trains from written weights only: give `from`');
      const began = performance.now();
      const start = readStart(request.open.from);
      [batches, at] = [new Batches(start, request.open), 0];
      const dataMs = performance.now() - began;
      const all = parametersOf(start);
      training = await open(new Map(all), request.open);
      return { parameters: all.reduce((sum, [, { data }]) => sum + data.length, 0), dataMs };
    }
    if (request.train === undefined) return {};
    if (training === undefined) throw new Error('nothing is open');
    if (request.first !== undefined) at = request.first;
    const [began, before] = [performance.now(), process.cpuUsage()];
    let loss = NaN;
    for (let i = 0; i < request.train; i++) loss = await training.step(batches.at(at++));
    const { user, system } = process.cpuUsage(before);
    const perStep = (ms) => ms / request.train;
    return { ms: perStep(performance.now() - began), cpuMs: perStep((user + system) / 1000), loss };
  };
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(JSON.parse(line)));
    } catch (error) {
      say({ error: String(error.message ?? error).split('\n')[0] });
    }
  }
  // Threads and devices of the engines would keep the process.
  process.exit();
}

/** Says why nothing can be trained, and ends. */
export function fail(error) {
  say({ error: String(error.message ?? error).split('\n')[0] });
  process.exit(1);
}
