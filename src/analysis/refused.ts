/** A file cannot be analysed. The message is a sentence for whoever uploaded it, and quotes nothing of the file. */
export class AnalysisRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AnalysisRefused';
  }
}
