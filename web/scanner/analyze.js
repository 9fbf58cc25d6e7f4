/** Why there is no result. */
class Refused extends Error {
  constructor(detail, status, retryAfter) {
    super(sentence(detail, status));
    // What cannot be read is paid back; everything else may go better the next time.
    this.paidBack = status === 400 || status === 413;
    // Another payment is needed.
    this.unpaid = status === 402;
    // In seconds; undefined where waiting does not help.
    this.retryAfter = status === 429 || status === 503 ? Number(retryAfter ?? 0) || undefined : undefined;
  }
}

/**
 * Sends a file. `onSent` hears how much of it is on its way, from 0 to 1.
 * Rejects with an Error whose message is for people.
 */
export function analyze(file, fields, onSent) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    // fetch does not tell how much it has sent.
    const request = new XMLHttpRequest();
    request.open('POST', '/analyze');
    request.responseType = 'json';
    request.upload.addEventListener('progress', ({ loaded, total }) => onSent(loaded / total));
    request.addEventListener('load', () => {
      if (request.status === 200 && request.response) resolve(request.response);
      else
        reject(
          new Refused(request.response?.detail, request.status, request.getResponseHeader('retry-after')),
        );
    });
    request.addEventListener('error', () =>
      reject(new Error('The server cannot be reached, or the connection broke. Try again.')),
    );
    request.send(form);
  });
}

/** The report for people as a PDF: the file is analysed once more. */
export async function report(file, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  form.append('file', file, file.name);
  const response = await fetch('/analyze?as=pdf', { method: 'POST', body: form });
  if (response.ok) return response.blob();
  const { detail } = await response.json().catch(() => ({}));
  throw new Error(sentence(detail, response.status));
}

/** What an answer without a result says, for people. */
export function sentence(detail, status) {
  if (typeof detail === 'string') return /[.!?]$/.test(detail) ? detail : `${detail}.`;
  if (Array.isArray(detail)) return detail.map(({ loc, msg }) => `${loc.at(-1)}: ${msg}`).join(' ');
  return status === 200
    ? 'The answer was cut off. Try again.'
    : `The server answered ${status}. Try again later.`;
}
