import { Shutdown } from '../src/shutdown.js';
import { silentLogger } from '../src/logger.js';

describe('a shutdown', () => {
  it('closes the last that was opened first, each after the other', async () => {
    const shutdown = new Shutdown(silentLogger);
    const closed: string[] = [];
    for (const name of ['database', 'journal', 'server']) {
      shutdown.add(name, async () => {
        await Promise.resolve();
        closed.push(name);
      });
    }
    await shutdown.run();
    expect(closed).toEqual(['server', 'journal', 'database']);
  });

  it('runs every step although one fails, logs why, and fails with its name', async () => {
    const errors: unknown[] = [];
    const shutdown = new Shutdown({ ...silentLogger, error: (_message, error) => errors.push(error) });
    const closed: string[] = [];
    const broken = new Error('the connection is gone');
    shutdown.add('database', () => void closed.push('database'));
    shutdown.add('journal', () => Promise.reject(broken));
    shutdown.add('key cache', () => {
      throw broken;
    });
    await expect(shutdown.run()).rejects.toThrow('key cache, journal');
    expect(closed).toEqual(['database']);
    expect(errors).toEqual([broken, broken]);
  });

  it('closes what a step still adds, before the steps that were there', async () => {
    const shutdown = new Shutdown(silentLogger);
    const closed: string[] = [];
    shutdown.add('database', () => void closed.push('database'));
    shutdown.add('loading', () => shutdown.add('model', () => void closed.push('model')));
    await shutdown.run();
    expect(closed).toEqual(['model', 'database']);
  });

  it('happens once, whoever asks for it', async () => {
    const shutdown = new Shutdown(silentLogger);
    let closed = 0;
    shutdown.add('database', () => void closed++);
    await Promise.all([shutdown.run(), shutdown.run()]);
    expect(closed).toBe(1);
  });
});
