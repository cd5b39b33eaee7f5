// What is asked of khojd again and again, and seldom changes.

const MINUTE = 60_000; // milliseconds

/** An answer that is asked for when somebody wants it, at most once a minute. A failure is asked again the next time. */
export class Remembered<T> {
  private answer: Promise<T> | undefined;
  private since = 0;

  constructor(private readonly ask: () => Promise<T>) {}

  get(): Promise<T> {
    if (this.answer !== undefined && Date.now() - this.since < MINUTE) return this.answer;
    const mine = this.ask();
    this.answer = mine;
    this.since = Date.now();
    mine.catch(() => {
      if (this.answer === mine) this.answer = undefined;
    });
    return mine;
  }
}
