const scalars: Readonly<Record<string, string>> = {
  vec4f: 'f32',
  vec4i: 'i32',
  vec4u: 'u32',
  'vec4<bool>': 'bool',
  _vec4: '_f32',
};

/**
 * The functions of builtins.wgsl, and after them the same for scalars: `exp_f32` is `exp_vec4` with f32, i32, u32 and
 * bool in the place of vec4s, so both give the same bits.
 */
export function withScalars(text: string): string {
  const functions = text.match(/^fn \w+_vec4\([^]*?^}$/gm) ?? [];
  const scalar = functions.map((one) =>
    one.replace(/\bvec4[fiu]\b|\bvec4<bool>|_vec4\b/g, (name) => scalars[name]),
  );
  return `${[text.trimEnd(), ...scalar].join('\n\n')}\n`;
}
