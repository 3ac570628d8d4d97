import { defineConfig } from 'banyan';
import { orders } from './orders/domain.ts';

export default defineConfig({
  monolith: {
    url: process.env['BANYAN_MONOLITH_URL'] ?? 'http://127.0.0.1:3000',
    database: { schema: 'shop' },
  },
  domains: [orders],
});
