// The one definition of every setting. Name, variable, type, default, help and form field are all derived from here.
// Knows no source of values. A key is born by one entry in a section table and by nothing else.
import { z } from "zod";
import { type KeyMeta, keyRegistry } from "./fields.ts";
import { nsfw, token, usage } from "./sections/accounts.ts";
import { app, downstream, server } from "./sections/gateway.ts";
import { image, video } from "./sections/media.ts";
import { playground, voice } from "./sections/playground.ts";
import { journal, keys, log, metrics } from "./sections/records.ts";
import { responses } from "./sections/responses.ts";
import { grok, proxy, retry } from "./sections/upstream.ts";
import { asset, cache, chat } from "./sections/work.ts";
import { routing, xai } from "./sections/xai.ts";

/** In the order in which forms and documents show them. */
export const sections = {
  server,
  app,
  grok,
  proxy,
  xai,
  routing,
  retry,
  token,
  chat,
  responses,
  image,
  video,
  voice,
  playground,
  asset,
  cache,
  usage,
  nsfw,
  downstream,
  keys,
  journal,
  log,
  metrics,
};

export const configSchema = z.object({
  server: server.prefault({}),
  app: app.prefault({}),
  grok: grok.prefault({}),
  proxy: proxy.prefault({}),
  xai: xai.prefault({}),
  routing: routing.prefault({}),
  retry: retry.prefault({}),
  token: token.prefault({}),
  chat: chat.prefault({}),
  responses: responses.prefault({}),
  image: image.prefault({}),
  video: video.prefault({}),
  voice: voice.prefault({}),
  playground: playground.prefault({}),
  asset: asset.prefault({}),
  cache: cache.prefault({}),
  usage: usage.prefault({}),
  nsfw: nsfw.prefault({}),
  downstream: downstream.prefault({}),
  keys: keys.prefault({}),
  journal: journal.prefault({}),
  log: log.prefault({}),
  metrics: metrics.prefault({}),
});

export type Config = z.infer<typeof configSchema>;

export interface ConfigKey {
  /** `section.name`, spelled the same in the file, the form and the code. */
  path: string;
  section: string;
  name: string;
  /** The environment variable. */
  env: string;
  meta: KeyMeta;
  defaultValue: unknown;
  schema: z.ZodType;
}

/** Every setting, by path. */
export const configKeys: ReadonlyMap<string, ConfigKey> = new Map(
  Object.entries(sections).flatMap(([section, { shape }]) => describeSection(section, shape)),
);

export function envName(path: string): string {
  return `GROK2API_${path.replaceAll(".", "_").toUpperCase()}`;
}

function describeSection(section: string, shape: Record<string, z.ZodType>): [string, ConfigKey][] {
  return Object.entries(shape).map(([name, schema]) => {
    const key = describeKey(section, name, schema);
    return [key.path, key];
  });
}

function describeKey(section: string, name: string, schema: z.ZodType): ConfigKey {
  const path = `${section}.${name}`;
  const meta = keyRegistry.get(schema);
  if (meta === undefined) throw new Error(`the setting ${path} has no notes; make it with a function of fields.ts`);
  return { path, section, name, env: meta.env ?? envName(path), meta, defaultValue: schema.parse(undefined), schema };
}
