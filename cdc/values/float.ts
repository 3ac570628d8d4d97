const SMALLEST_NORMAL = 2 ** -126;

/** The shortest decimal that gives back this float32, as a number: 0.1 and not 0.10000000149011612. */
export function shortestFloat(float: number): number {
  // Exact as it is, and `-0` becomes `0`: JSON has only one zero.
  if (Number.isInteger(float) && Math.abs(float) < 2 ** 24) return float + 0;
  // Six digits always survive a float32 that is not denormal: fewer need no trial.
  for (let digits = Math.abs(float) < SMALLEST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const decimal = Number(float.toPrecision(digits));
    if (Math.fround(decimal) === float) return decimal;
  }
  return Number(float.toPrecision(9));
}
