/** Words that WGSL keeps for later (WGSL, section 15.2): wgsl_reflect takes them for names, Dawn refuses them. */
const reserved = new Set(
  `NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become binding_array cast
  catch class co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast
  consteval constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit
  export extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl
  implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut
  mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of
  operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public
  readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth snorm static
  static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef typeid
  typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield`.split(
    /\s+/,
  ),
);

/** The first reserved word in a text without comments, and where it stands. */
export function reservedWordIn(text: string): { readonly word: string; readonly index: number } | undefined {
  for (const { 0: word, index } of text.matchAll(/\b[A-Za-z_]\w*/g)) {
    if (reserved.has(word)) return { word, index };
  }
  return undefined;
}
