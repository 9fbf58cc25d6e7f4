import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { freshPlace, ON_POSTGRES, openSql } from '../support/database.js';
import { eventStoreContract } from './eventStore.contract.js';

eventStoreContract('the embedded store', async () => {
  const place = await freshPlace();
  const first = await openSql(place);
  // PGlite has one connection; on PostgreSQL two pools stand for two nodes.
  const others = ON_POSTGRES ? [await openSql(place)] : [];
  const stores = [await PostgresEventStore.open(first)] as [PostgresEventStore, ...PostgresEventStore[]];
  for (const sql of others) stores.push(await PostgresEventStore.open(sql));
  return {
    instances: stores,
    remove: async () => {
      for (const store of stores) await store.close();
      for (const sql of [first, ...others]) await sql.close();
      await place.remove();
    },
  };
});
