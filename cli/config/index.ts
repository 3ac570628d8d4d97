export { type BanyanConfig, defineConfig } from './schema.ts';
