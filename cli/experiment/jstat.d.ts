// The package comes without types; this is the part that is used.
declare module 'jstat' {
  const jstat: {
    readonly jStat: {
      /** Regularised incomplete beta function I_x(a, b). */
      ibeta(x: number, a: number, b: number): number;
    };
  };
  export default jstat;
}
