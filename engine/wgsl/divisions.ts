import type { Builder } from './builder.js';
import { u32 } from './types.js';
import { isSimple, type Value, type Values } from './values.js';

/** What a counter is divided by, and the locals with its quotient and remainder. */
interface Division {
  readonly divisor: Value;
  readonly quotient: number;
  readonly remainder: number;
}

/**
 * i / d and i % d of a counter i that goes up by one, carried along with it: an addition and a comparison a round where
 * the processor would divide twice.
 */
export class Divisions {
  private readonly made: Division[] = [];
  /** The first of several copies of a round is written: what it does not divide by is not carried along in it. */
  private complete = false;

  constructor(
    private readonly values: Values,
    /** Of the loop that counts; the divisor must be the same in all its rounds. */
    private readonly depth: number,
  ) {}

  private get builder(): Builder {
    return this.values.builder;
  }

  /** `counter operator divisor`; undefined if that is not carried along. */
  find(operator: string, divisor: Value): Value | undefined {
    const leaves = divisor.sum?.terms.map(({ leaf }) => leaf) ?? divisor.leaves;
    const before = divisor.depth < this.depth && leaves.every(({ since = 0 }) => since < this.depth);
    const fixed = before && isSimple(divisor) && divisor.constant === undefined;
    if (!fixed || (operator !== '/' && operator !== '%')) return undefined;
    let found = this.made.find((one) => one.divisor === divisor);
    if (found === undefined && this.complete) return undefined;
    if (found === undefined) {
      found = { divisor, quotient: this.builder.local('i32'), remainder: this.builder.local('i32') };
      this.made.push(found);
    }
    const local = operator === '/' ? found.quotient : found.remainder;
    return this.values.locals(u32, [local], this.depth, true);
  }

  /** Before the first round: divides what the counter starts from, by one where the divisor is 0, as no round may ask. */
  start(counter: number): void {
    const { module } = this.builder;
    for (const { divisor, quotient, remainder } of this.made) {
      const by = () => this.values.write(divisor);
      const safe = () => module.select(by(), by(), module.i32.const(1));
      this.builder.set(quotient, module.i32.div_u(this.builder.get(counter), safe()));
      this.builder.set(remainder, module.i32.rem_u(this.builder.get(counter), safe()));
    }
  }

  /** After a round. What is compared is used once, so that the remainder, on which the next one waits, is two instructions. */
  advance(): void {
    this.complete = true;
    const { module } = this.builder;
    const { i32 } = module;
    for (const { divisor, quotient, remainder } of this.made) {
      const next = () => i32.add(this.builder.get(remainder), i32.const(1));
      const goesOn = i32.ne(next(), this.values.write(divisor));
      this.builder.set(remainder, module.select(goesOn, next(), i32.const(0)));
      const whole = i32.eqz(this.builder.get(remainder));
      this.builder.set(quotient, i32.add(this.builder.get(quotient), whole));
    }
  }
}
