import { hitsOf, scan } from './scan.js';

describe('languages', () => {
  test.each([
    ['en', 'This is what they have: when would you stop and listen to the others? It is not just that.'],
    ['es', 'Yo no lo sé, pero cuando estás con los otros y por las noches, me haces sentir mucho miedo.'],
    ['de', 'Ich weiß das nicht, und wir haben auch noch ein Problem mit dir. Ich hatte große Angst.'],
    ['fr', "Je ne suis pas dans la maison, mais avec elle et le chien. J'ai dit non, je veux mon intimité."],
  ])('%s is recognised, and its rules find something', (language, text) => {
    const { languages, events } = scan(text);
    expect(languages).toEqual([language]);
    expect(events).toHaveLength(1);
  });

  test('without a sign of any it is the default', () => {
    expect(scan('再见 STOP').languages).toEqual(['en']);
    expect(scan('').languages).toEqual(['en']);
  });

  test('chosen, also several', () => {
    expect(hitsOf('nein', { languages: ['en'] })).toEqual([]);
    expect(hitsOf('nein', { languages: ['de'] })).toEqual(['BOUNDARY_LANGUAGE:TOKEN']);
    expect(hitsOf('nein, I said no', { languages: ['de', 'en'] })).toEqual(['BOUNDARY_LANGUAGE:PHRASE']);
    expect(() => scan('nein', { languages: ['xx'] })).toThrow('That language is not known.');
  });

  test.each([
    ['es', 'no me llames', 'BOUNDARY_LANGUAGE:PHRASE'],
    ['es', 'te pedí que pararas', 'BOUNDARY_LANGUAGE:PHRASE'],
    ['es', 'es por tu propio bien', 'PROTECTOR_CLAIM:PHRASE'],
    ['de', 'Du hast mir wirklich Angst gemacht', 'HARM_LANGUAGE:PHRASE'],
    ['de', 'Ich habe doch nein gesagt', 'BOUNDARY_LANGUAGE:PHRASE'],
    ['de', 'Passwort geändert', 'CONTROL_ACCESS:PHRASE'],
    ['fr', 'Tu m’as fait peur', 'HARM_LANGUAGE:PHRASE'],
    ['fr', "l'argent", 'CONTROL_ACCESS:TOKEN'],
    ['fr', "J'ai changé le mot de passe", 'CONTROL_ACCESS:PHRASE'],
  ])('%s: %s', (language, text, hit) => {
    expect(hitsOf(text, { languages: [language] })).toContain(hit);
  });
});
