/** A stretch of time; without an end it lasts still. */
export interface Interval {
  readonly from: Date;
  readonly to: Date | undefined;
}

export function covers({ from, to }: Interval, time: number): boolean {
  return time >= from.getTime() && (to === undefined || time < to.getTime());
}
