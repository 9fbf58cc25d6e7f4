/** Time as a test lets it pass. */
export class TestTime {
  /** Milliseconds since the epoch, as the clock says. */
  clock: number;
  /** Milliseconds that have passed: setting the clock leaves them alone. */
  elapsed = 5_000;

  constructor(clock: number) {
    this.clock = clock;
  }

  pass(ms: number): void {
    this.clock += ms;
    this.elapsed += ms;
  }

  /** Sets the clock so much ahead, or back. */
  set(ms: number): void {
    this.clock += ms;
  }

  /** The clock comes to say this: forwards because time has passed, back because it was set. */
  to(clock: number): void {
    if (clock > this.clock) this.pass(clock - this.clock);
    else this.set(clock - this.clock);
  }
}
