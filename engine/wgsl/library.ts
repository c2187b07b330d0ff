import type binaryen from 'binaryen';
import * as ast from 'wgsl_reflect/wgsl_reflect.module.js';
import { Builder, wasmType } from './builder.js';
import { SubsetError } from './errors.js';
import type { LibraryCall } from './intrinsics.js';
import { withScalars } from './scalar.js';
import { Scope, type Declarations } from './scope.js';
import { Translator, type Rules } from './translator.js';
import { registersOf, typeOf } from './types.js';
import { deepest } from './values.js';

/** The mathematical functions of builtins.wgsl, each made a function of the module when it is first called. */
export class Library {
  private readonly made = new Set<string>();
  private readonly declarations: Declarations;

  constructor(
    private readonly module: binaryen.Module,
    builtins: string,
    private readonly rules: Rules,
  ) {
    const nodes = new ast.WgslParser().parse(withScalars(builtins));
    const functions = nodes.filter((node): node is ast.Function => node instanceof ast.Function);
    this.declarations = { buffers: new Scope(), functions: new Map(functions.map((one) => [one.name, one])) };
  }

  readonly call: LibraryCall = (name, args) => {
    const { type } = args[0];
    const own = this.functionFor(`${name}_${type.kind === 'vector' ? 'vec4' : 'f32'}`);
    const [register] = registersOf(type);
    const leaf = {
      make: () =>
        this.module.call(
          own,
          args.map(({ leaves }) => leaves[0].make()),
          wasmType(register),
        ),
      simple: false,
      stable: true,
    };
    return { type, depth: deepest(args), leaves: [leaf] };
  };

  /** The function's name in the module, which no entry point can have. */
  private functionFor(name: string): string {
    const own = `library.${name}`;
    if (this.made.has(own)) return own;
    const node = this.declarations.functions.get(name);
    if (node === undefined || node.returnType === null)
      throw new SubsetError(`the library has no function ${name}`);
    this.made.add(own);
    const parameters = node.args.map(({ type }) => registersOf(typeOf(type))[0]);
    const builder = new Builder(this.module, parameters);
    const t = new Translator(builder, this.declarations, this.call, this.rules);
    const args = node.args.map(({ type }, i) => t.values.locals(typeOf(type), [i], 0, true));
    const result = typeOf(node.returnType);
    const [register] = registersOf(result);
    const body = builder.collect(() => builder.emit(t.values.write(this.rules.inline(t, node, args))));
    builder.finish(own, register, this.module.block(null as unknown as string, body, wasmType(register)));
    return own;
  }
}
