/**
 * Plans a live migration, starts it once, and takes the decisions of people about it.
 * Trigger: by hand. Effects: by `action`: a validation in Atlas (plan), a migration (start), a cutover (approve-cutover);
 * the state table, events, pages in the report bucket. Each command may be repeated: what was done is not done twice.
 */
import { defineHandler } from '../../lib/runtime/handler.ts';
import { command } from './command.ts';
import { Command, Config, Settings } from './contract.ts';
import { createServices } from './services.ts';

export const handler = defineHandler({
  name: 'command-live-migration',
  config: Config,
  settings: Settings,
  event: Command,
  services: createServices,
  run: (event, { services, settings: { migration: settings }, log, clock, deadline }) =>
    command({ services, settings, log, clock, deadline }, event),
});
