/** One line of progress on stderr: redrawn on a terminal, else a plain line now and then when it has changed. */
export class ProgressLine {
  readonly #terminal = process.stderr.isTTY === true;
  #nextAt = 0;
  #drawn = false;
  #last = '';

  show(text: string): void {
    const now = Date.now();
    if (now < this.#nextAt || (text === this.#last && !this.#terminal)) return;
    this.#last = text;
    this.#nextAt = now + (this.#terminal ? 200 : 2000);
    process.stderr.write(this.#terminal ? `\r\x1b[K${text}` : `${text}\n`);
    this.#drawn = this.#terminal;
  }

  end(): void {
    if (this.#drawn) process.stderr.write('\n');
    this.#drawn = false;
  }
}
