/** Stream `note-<id>`: a note of an account. */
export type NoteEvent =
  | { readonly type: 'NoteWritten'; readonly data: { readonly accountId: string; readonly text: string } }
  | { readonly type: 'NoteErased'; readonly data: { readonly accountId: string } };

export const noteStream = (id: string): string => `note-${id}`;
