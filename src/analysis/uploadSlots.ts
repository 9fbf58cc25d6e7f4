/** Held at once, and of one place; whoever comes then is asked to wait. */
const MAX_UPLOADS = 16;
const MAX_UPLOADS_OF_PLACE = 2;
export const RETRY_AFTER_SECONDS = 5;

/** Files that are held at once: so many of everybody, and so many of one place. */
export class UploadSlots {
  readonly #byPlace = new Map<string, number>();
  #taken = 0;

  constructor(
    private readonly total = MAX_UPLOADS,
    private readonly perPlace = MAX_UPLOADS_OF_PLACE,
  ) {}

  /** @returns how to give it back, once; or what has none left */
  take(place: string): (() => void) | 'place' | 'total' {
    const own = this.#byPlace.get(place) ?? 0;
    if (own >= this.perPlace) return 'place';
    if (this.#taken >= this.total) return 'total';
    this.#byPlace.set(place, own + 1);
    this.#taken += 1;
    return () => this.#giveBack(place);
  }

  #giveBack(place: string): void {
    const own = this.#byPlace.get(place) ?? 0;
    if (own > 1) this.#byPlace.set(place, own - 1);
    else this.#byPlace.delete(place);
    this.#taken -= 1;
  }
}
