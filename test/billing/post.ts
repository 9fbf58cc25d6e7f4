import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a webhook on its way. */
export type Fate = 'pass' | 'twice' | 'hold' | 'lose';

interface Letter {
  readonly body: string;
  readonly signature: string;
}

/** Stands between Stripe and the product: of one customer it disturbs what is sent. */
export class Post {
  readonly counts: Record<Fate, number> = { pass: 0, twice: 0, hold: 0, lose: 0 };
  #held: Letter[] = [];
  #customer: string | undefined;
  #fates: readonly Fate[] = ['pass'];
  #letters = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {}

  static async open(target: string): Promise<Post> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const letter = {
          body: Buffer.concat(chunks).toString('utf8'),
          signature: String(request.headers['stripe-signature']),
        };
        void post.#take(letter).then((status) => {
          response.statusCode = status;
          response.end();
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const post = new Post(server, target);
    return post;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** What is sent of this customer has these fates, one after the other. */
  disturb(customer: string | undefined, fates: readonly Fate[]): void {
    this.#customer = customer;
    this.#fates = fates;
  }

  calm(): void {
    this.#customer = undefined;
  }

  /** Brings what was held back. @param order a number for each: the smallest comes first */
  async deliver(order: readonly number[]): Promise<void> {
    const held = this.#held.map((letter, place) => ({ letter, turn: order[place % order.length] ?? 0 }));
    this.#held = [];
    for (const { letter } of held.sort((a, b) => a.turn - b.turn)) await this.#bring(letter);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** @returns what Stripe is answered */
  async #take(letter: Letter): Promise<number> {
    const { type, data } = JSON.parse(letter.body) as {
      type: string;
      data: { object: { customer?: string } };
    };
    const disturbed = this.#customer !== undefined && data.object.customer === this.#customer;
    const planned = disturbed ? (this.#fates[this.#letters++ % this.#fates.length] ?? 'pass') : 'pass';
    // An invoice that nobody has heard of is issued three days later: Stripe itself then does something else.
    const fate = planned === 'lose' && type === 'invoice.created' ? 'hold' : planned;
    if (disturbed) this.counts[fate]++;
    switch (fate) {
      case 'lose':
        return 500;
      case 'hold':
        this.#held.push(letter);
        return 200;
      case 'twice':
        await this.#bring(letter);
        return this.#bring(letter);
      case 'pass':
        return this.#bring(letter);
    }
  }

  async #bring({ body, signature }: Letter): Promise<number> {
    const response = await fetch(this.target, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  }
}
