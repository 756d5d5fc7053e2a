// The settings of stored responses: a table, one entry a key.
import { integer, number, section } from "../fields.ts";

export const responses = section(
  { en: "Stored responses", zh: "响应存储" },
  {
    retention_hours: number(
      720,
      { min: 0, max: 87_600 },
      {
        unit: "hours",
        help: {
          en: "How long a response of /v1/responses, and what it continues, can be looked up and continued.",
          zh: "/v1/responses 的响应（及其所延续的对话）可查询和续接的时间。",
        },
      },
    ),
    max_stored: integer(
      10_000,
      { min: 0, max: 1_000_000 },
      {
        help: {
          en: "Responses kept at most; those unused for longest go first. 0 keeps none.",
          zh: "最多保存的响应数，最久未使用的先删除；0 表示不保存。",
        },
      },
    ),
    max_stored_mb: number(
      512,
      { min: 0, max: 1_000_000 },
      {
        unit: "megabytes",
        help: { en: "Space that stored responses may take.", zh: "响应存储可占用的空间。" },
      },
    ),
  },
);
