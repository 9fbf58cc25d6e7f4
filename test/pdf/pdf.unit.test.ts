import { pdfOf, shownText } from '../../src/pdf/pdf.js';

const AT = new Date('2027-02-28T13:00:00Z');
const options = { title: 'Invoice 1', author: 'Seller', at: AT };
const many = Array.from({ length: 120 }, (_, i) => [`line ${i}`, '1.00 USD']);
const columns = [
  { header: 'What', width: 0.7 },
  { header: 'Amount', width: 0.3, align: 'right' },
] as const;

describe('a PDF', () => {
  it('is the same file whenever it is made of the same content', async () => {
    const make = () => pdfOf(options, (pdf) => pdf.table(columns, many));
    const [first, second] = [await make(), await make()];
    expect(first.subarray(0, 5).toString()).toBe('%PDF-');
    expect(first.equals(second)).toBe(true);
    const other = await pdfOf(options, (pdf) => pdf.table(columns, many.slice(1)));
    expect(first.equals(other)).toBe(false);
  });

  it('goes on to further pages, and numbers no page that has nothing', async () => {
    const pages = (file: Buffer): number => file.toString('latin1').match(/\/Type \/Page\n/g)?.length ?? 0;
    expect(pages(await pdfOf(options, (pdf) => pdf.heading('one')))).toBe(1);
    expect(pages(await pdfOf(options, (pdf) => pdf.table(columns, many)))).toBe(3);
  });

  it('shows what its fonts have, and a letter without its accent rather than nothing', () => {
    expect(shownText('Müller – 5 × 3 −4 €')).toBe('Müller – 5 × 3 -4 €');
    expect(shownText('Dvořák')).toBe('Dvorák');
    expect(shownText('Mu\u0308ller, Łukasz Đặng, Işık')).toBe('Müller, Lukasz Dang, Isik');
    expect(shownText('漢字')).toBe('??');
  });

  it('spells Greek and Cyrillic with Latin letters', () => {
    expect(shownText('Γιώργος Παπαδόπουλος, ΑΘΗΝΑ, Ουρανία')).toBe('Giorgos Papadopoulos, ATHINA, Ourania');
    expect(shownText('Ψωμί ΧΑΟΥΣ')).toBe('Psomi CHAOUS');
    expect(shownText('Юрий Щербаков, Ольга Ёлкина')).toBe('Iurii Shcherbakov, Olga Elkina');
    expect(shownText('ООО «ЖУК»')).toBe('OOO «ZHUK»');
    expect(shownText('Їжакевич Ґалаґан, Љубица Ђорђевић')).toBe('Izhakevich Galagan, Ljubitsa Dordevic');
    for (const letter of 'αβγδεζηθικλμνξοπρστυφχψωςабвгдеёжзийклмнопрстуфхцчшщъыэюяєіїґђјљњћџѕ') {
      expect(shownText(letter)).toMatch(/^[a-z]{1,4}$/);
      expect(shownText(letter.toUpperCase())).toMatch(/^[A-Z][a-z]{0,3}$/);
    }
  });

  it('knows whether a text stands there in other letters', async () => {
    const spelled = async (text: string): Promise<boolean> => {
      let other = true;
      await pdfOf(options, (pdf) => {
        pdf.paragraph(text);
        other = pdf.spelled;
      });
      return other;
    };
    expect(await spelled('Mu\u0308ller −4 €')).toBe(false);
    expect(await spelled('Dvořák')).toBe(true);
    expect(await spelled('Юрий')).toBe(true);
  });
});
