import { scheduleCapacity } from '../step.js';

/** What of Adam decides how far a row moves in the steps that it misses. */
export interface Decays {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

/** Largest error of a sum of missed steps, relative to it: 4 ulp of an f32. */
const tolerance = 2 ** -21;
/** Steps behind these move a row by less than this part of the whole. */
const negligible = 2 ** -30;
/** Tables for more steps would cost more than they save. */
const mostReach = 512;
/** Powers of both decays: those of k < 256 and of 256 · k, so that one product gives that of any number of steps. */
const powerCount = 256;

const floatsOfEntry = 4;

/** Where the parts of the tables begin, in vec4s: see `MissedSteps`. */
export interface MissedStepsLayout {
  /** Missed steps that have an entry of their own, and one. */
  readonly reach: number;
  readonly slots: number;
  readonly fullAt: number;
  readonly powersAt: number;
  readonly length: number;
}

/** A part of the tables that has changed: floats, and the word at which they begin. */
export interface Part {
  readonly offset: number;
  readonly floats: Float32Array;
}

/** Missed steps after which a row no longer moves; undefined where the decays let it move for too long. */
export function reachOf({ beta1, beta2 }: Decays): number | undefined {
  const fading = beta1 / Math.sqrt(beta2);
  if (!(fading < 1)) return undefined;
  const reach = fading === 0 ? 2 : Math.max(2, Math.ceil(Math.log(negligible) / Math.log(fading)));
  return reach <= mostReach ? reach : undefined;
}

/** For plans whose chunks have so many steps. */
export function missedStepsLayout(reach: number, chunkSteps: number): MissedStepsLayout {
  const slots = chunkSteps + 1;
  const fullAt = slots * reach;
  const powersAt = fullAt + scheduleCapacity;
  return { reach, slots, fullAt, powersAt, length: powersAt + powerCount };
}

/**
 * Sums over the steps that a row of a table has missed, so that Adam need not make them one by one. In the j-th of n such
 * steps the moments have decayed to β₁ʲm and β₂ʲv, and the row moves by
 *
 *   rate · β₁ʲm / (correction · √(β₂ʲv) + ε) = αⱼ · m / (√v + ε·wⱼ),   wⱼ = 1 / (correction · √β₂ʲ),  αⱼ = rate · β₁ʲ · wⱼ
 *
 * The wⱼ hardly differ, so that with their mean w = Σ αⱼwⱼ / A, A = Σ αⱼ, and d = √v + ε·w all n steps move it by
 *
 *   A · m / d · (1 + y²·M₂ − …),   y = ε·w / d,   M_k = Σ αⱼ |wⱼ/w − 1|ᵏ / A
 *
 * with an error below y³·M₃ ≤ y³·√(M₂M₄). An entry is [A, ε·w, M₂, the largest y for which that is nothing]: 1 and more but
 * for the first hundreds of steps, in which the corrections change fast. There, and where an entry is [0, 0, 0, 0], the
 * steps must be made. The tables lie in one buffer of vec4s:
 *
 *   slots × reach        for the step s that is about to be made, in slot s mod slots: s itself (a u32), then entries of
 *                        1 … reach − 1 missed steps
 *   scheduleCapacity     at t mod scheduleCapacity the entry of a row that has moved in t steps and missed reach or more;
 *                        later ones no longer move it
 *   256                  [β₁ᵏ, β₂ᵏ, β₁²⁵⁶ᵏ, β₂²⁵⁶ᵏ]
 */
export class MissedSteps {
  private readonly tables: Float32Array;
  /** rate and 1 / correction of the last `reach` steps, and the first step of which they are known, counted from 0. */
  private readonly known: { rate: number; w: number }[] = [];
  private end = 0;

  constructor(
    readonly layout: MissedStepsLayout,
    private readonly decays: Decays,
  ) {
    this.tables = new Float32Array(floatsOfEntry * layout.length);
    const { beta1, beta2 } = decays;
    for (let k = 0; k < powerCount; k++) {
      const powers = [beta1 ** k, beta2 ** k, beta1 ** (256 * k), beta2 ** (256 * k)];
      this.tables.set(powers, floatsOfEntry * (layout.powersAt + k));
    }
  }

  /** All tables as they are. */
  get whole(): Part {
    return { offset: 0, floats: this.tables };
  }

  /**
   * Adds the steps from `first` on, counted from 0, of which `schedule` has four floats each (see adam.ts); returns what
   * has changed. Steps that do not follow the last begin a new history: rows that missed steps before them are moved
   * step by step.
   */
  add(first: number, schedule: Float32Array): readonly Part[] {
    const { layout, known, tables } = this;
    if (first !== this.end) known.length = 0;
    this.end = first;
    if (known.length === 0) this.fillSlot();
    const changed: number[] = [];
    for (let i = 0; i < schedule.length; i += 4) {
      known.push({ rate: schedule[i], w: 1 / schedule[i + 1] });
      if (known.length > layout.reach) known.shift();
      this.end++;
      const full = this.fillSlot();
      if (full !== undefined) changed.push(full);
    }
    const slots = { offset: 0, floats: tables.subarray(0, floatsOfEntry * layout.fullAt) };
    return [slots, ...runsOf(changed).map(([from, to]) => this.part(from, to))];
  }

  private part(from: number, to: number): Part {
    const offset = floatsOfEntry * (this.layout.fullAt + from);
    return { offset, floats: this.tables.subarray(offset, floatsOfEntry * (this.layout.fullAt + to)) };
  }

  /** Writes the entries for the step `end`; returns where that of `reach` missed steps was put, if it has been. */
  private fillSlot(): number | undefined {
    const { layout, known, tables, end } = this;
    const { reach, slots, fullAt } = layout;
    const slot = (end % slots) * reach;
    tables.fill(0, floatsOfEntry * slot, floatsOfEntry * (slot + reach));
    new Uint32Array(tables.buffer)[floatsOfEntry * slot] = end;
    const sums = new Sums(this.decays);
    for (let n = 1; n <= known.length; n++) {
      const { rate, w } = known[known.length - n];
      sums.addBefore(rate, w);
      if (n < reach) sums.write(tables, floatsOfEntry * (slot + n));
    }
    if (known.length < reach) return undefined;
    const full = (end - reach) % scheduleCapacity;
    sums.write(tables, floatsOfEntry * (fullAt + full));
    return full;
  }
}

/** Runs [from, to) of numbers that follow each other. */
function runsOf(numbers: readonly number[]): (readonly [number, number])[] {
  const starts = numbers.flatMap((number, i) => (i > 0 && number === numbers[i - 1] + 1 ? [] : [i]));
  return starts.map((start, i) => {
    const last = (starts[i + 1] ?? numbers.length) - 1;
    return [numbers[start], numbers[last] + 1];
  });
}

/** Σ αⱼ wⱼᵏ for k = 0 … 4, in f64. */
class Sums {
  private s0 = 0;
  private s1 = 0;
  private s2 = 0;
  private s3 = 0;
  private s4 = 0;
  /** β₂^(-½): what w grows by in a step. */
  private readonly growth: number;

  constructor(private readonly decays: Decays) {
    this.growth = 1 / Math.sqrt(decays.beta2);
  }

  /** Puts a step before those that are summed: each of them is then one later. */
  addBefore(rate: number, w: number): void {
    const { growth: g } = this;
    const fading = this.decays.beta1 * g;
    const own = w * g;
    const alpha = rate * this.decays.beta1 * own;
    this.s0 = this.s0 * fading + alpha;
    this.s1 = this.s1 * fading * g + alpha * own;
    this.s2 = this.s2 * fading * g ** 2 + alpha * own ** 2;
    this.s3 = this.s3 * fading * g ** 3 + alpha * own ** 3;
    this.s4 = this.s4 * fading * g ** 4 + alpha * own ** 4;
  }

  /** Writes the entry at `at`. */
  write(tables: Float32Array, at: number): void {
    const { s0, s1, s2, s3, s4 } = this;
    if (!(s0 > 0)) return;
    const mean = s1 / s0;
    const [r2, r3, r4] = [s2 / (s0 * mean ** 2), s3 / (s0 * mean ** 3), s4 / (s0 * mean ** 4)];
    const m2 = Math.max(0, r2 - 1);
    const m4 = Math.max(0, r4 - 4 * r3 + 6 * r2 - 3);
    tables[at] = s0;
    tables[at + 1] = this.decays.eps * mean;
    tables[at + 2] = m2;
    // y is at most 1; the sum of a single step has no error at all.
    tables[at + 3] = Math.min(2, Math.cbrt(tolerance / Math.sqrt(m2 * m4)));
  }
}
