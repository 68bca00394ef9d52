/**
 * `npm run serve`. Everything else is loaded once Node keeps what it compiles: the types of some hundred files are stripped
 * at the first start, and not at the next.
 */
import { enableCompileCache } from 'node:module';
import path from 'node:path';

enableCompileCache(path.resolve(import.meta.dirname, '../../../dist/.compiled'));
const { serve } = await import('./command.ts');
await serve();
