import { defineConfig } from '../../../cli/config/index.ts';
import { orders, readings } from './domains.ts';

/** A small shop to seed and to capture; the emitter alone runs, so nothing answers at the URL. */
export default defineConfig({
  monolith: { url: 'http://127.0.0.1:9', database: { schema: 'shop' } },
  domains: [orders, readings],
});
