/** Something that WGSL allows, but the CPU target does not compile. Whoever knows the place adds file and line. */
export class SubsetError extends Error {
  override readonly name = 'SubsetError';
}
