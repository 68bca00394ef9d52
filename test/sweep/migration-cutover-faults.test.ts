import { sweepMigration } from '../support/migration-sweep.ts';

sweepMigration('cutover');
