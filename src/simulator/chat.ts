// The REST chat calls: first turn, follow-up, list and stored turns.
// Hands pictures and videos of the newest calls over to media.ts; knows no socket.
// Invariant: a first turn answers nested frames and a follow-up flat ones.
import { answerStream } from "./answer-stream.ts";
import type { Beat } from "./answer-stream.ts";
import type { Account, Conversation, Mode } from "./accounts.ts";
import { pause, randomUuid, timestamp } from "./chance.ts";
import { createChatFrames, describeConversation, newConversation } from "./chat-frames.ts";
import { chargeChat, modeOfModeId, modeOfModelMode, scriptContext } from "./chat-request.ts";
import { createFraming } from "./framing.ts";
import { mediaAnswer } from "./media.ts";
import { invalid, notFound, onGeneration, outOfDate, refusalByWord, toResponse } from "./refusals.ts";
import { responseObject } from "./response-object.ts";
import { fault, writeScript } from "./script.ts";
import type { ScriptContext } from "./script.ts";
import type { Step } from "./steps.ts";
import { jsonResponse } from "./world.ts";
import { fieldsOf, textOf, textsOf } from "./fields.ts";
import type { Call, World } from "./world.ts";
import type { Fields } from "./fields.ts";

export function startConversation(call: Call): Promise<Response> {
  const body = fieldsOf(call.body);
  const media = mediaAnswer(call, body);
  if (media !== undefined) return Promise.resolve(media);
  const kind = textOf(body["kind"]) || "CONVERSATION_KIND_CHAT";
  const conversation = newConversation({ id: randomUuid(), kind, temporary: body["temporary"] === true });
  return chat(call, body, { conversation, flat: false });
}

export function continueConversation(call: Call): Promise<Response> {
  const body = fieldsOf(call.body);
  const conversation = call.account.conversations.get(call.params["id"] ?? "");
  if (conversation === undefined) return Promise.resolve(toResponse(notFound("Conversation")));
  const parent = textOf(body["parentResponseId"]);
  if (parent !== "" && !conversation.responses.some((response) => response["responseId"] === parent)) {
    return Promise.resolve(toResponse(notFound("Parent response")));
  }
  return chat(call, body, { conversation, flat: true });
}

export function listConversations({ account, url }: Call): Response {
  const kind = url.searchParams.get("kind");
  const size = Number(url.searchParams.get("pageSize") ?? 40);
  const start = Number(url.searchParams.get("pageToken") ?? 0);
  const all = [...account.conversations.values()].filter(
    (conversation) => !conversation.temporary && (kind === null || conversation.kind === kind),
  );
  const page = all.toReversed().slice(start, start + size);
  const next = start + size < all.length ? { nextPageToken: String(start + size) } : {};
  return jsonResponse({ conversations: page.map(describeConversation), ...next, textSearchMatches: [] });
}

export function storedTurns({ account, params }: Call): Response {
  const conversation = account.conversations.get(params["id"] ?? "");
  return conversation === undefined
    ? toResponse(notFound("Conversation"))
    : jsonResponse({ responses: conversation.responses });
}

interface Place {
  conversation: Conversation;
  flat: boolean;
}

async function chat(call: Call, body: Fields, place: Place): Promise<Response> {
  const { world, account, request, entry } = call;
  const message = textOf(body["message"]);
  if (message === "") return toResponse(invalid("message must not be empty"));
  const mode = chosenMode(body, account);
  if (mode === undefined) return toResponse(invalid("Unknown mode"));
  if (!world.options.eras.includes(mode.era)) return toResponse(outOfDate());

  const attachments = [...textsOf(body["fileAttachments"]), ...textsOf(body["imageAttachments"])];
  const turn = 1 + place.conversation.responses.filter((response) => response["sender"] === "assistant").length;
  const drawing = fieldsOf(body["toolOverrides"])["imageGen"] === true;
  const script = scriptContext(world, account, {
    message,
    mode: mode.name,
    attachments,
    turn,
    drawing,
    pictureCount: Number(body["imageGenerationCount"] ?? 2),
    legacyPictures: drawing || (mode.era === "modelMode" && message.startsWith("Image Generation:")),
  });
  const refusal = onGeneration(account) ?? refusalByWord(script.words);
  if (refusal !== undefined) return toResponse(refusal);
  const available = account.modes[mode.name] !== undefined;
  const empty = available ? chargeChat(account, mode.name) : undefined;
  if (empty !== undefined) return toResponse(empty);

  const open = world.journal.open(entry, "rest");
  if (script.words.has("hang-headers")) {
    await pause(Number.POSITIVE_INFINITY, request.signal);
    open.close("aborted");
    return new Response(null, { status: 499 });
  }
  const beats = chatBeats({ world, account, body, place, script, attachments, modelMode: mode.modelMode, available });
  const headers = new Headers({ "x-trace-id": randomUuid().replaceAll("-", "") });
  if (script.words.has("set-cookie")) {
    const attributes = "Path=/; Domain=127.0.0.1; HttpOnly; SameSite=None";
    headers.append("set-cookie", `cf_clearance=renewed-${randomUuid()}; Max-Age=31536000; ${attributes}`);
    headers.append("set-cookie", `__cf_bm=renewed-${randomUuid()}; Max-Age=1800; ${attributes}`);
  }
  return answerStream({ beats, framing: createFraming(script.words), call: open, signal: request.signal, headers });
}

interface ChatPlay {
  world: World;
  account: Account;
  body: Fields;
  place: Place;
  script: ScriptContext;
  attachments: string[];
  modelMode: string;
  available: boolean;
}

function* chatBeats(play: ChatPlay): Generator<Beat> {
  const { world, account, place, script } = play;
  const { conversation } = place;
  const userResponse = userEcho(play);
  conversation.responses.push(userResponse);
  rememberConversation(account, conversation);
  const frames = createChatFrames({
    conversation,
    flat: place.flat,
    userResponse,
    responseId: randomUuid(),
    mode: script.mode,
    modelMode: play.modelMode,
    suggestions: play.body["disableTextFollowUps"] !== true,
  });
  const delayMs = tokenDelay(world, script);
  const steps = firstFault(play) ?? writeScript(script);
  const iterator = steps[Symbol.iterator]();
  let result = iterator.next();
  // An error as the very first line comes before the conversation frame.
  if (result.done !== true && result.value.do !== "fail" && result.value.do !== "hang") {
    for (const send of frames.open()) yield { send };
  }
  for (; result.done !== true; result = iterator.next()) {
    yield* stepBeats(result.value, frames.step(result.value), delayMs);
    if (result.value.do === "token" || result.value.do === "cite") world.journal.countTokens(1);
  }
  const answer = frames.answer();
  if (answer !== undefined) conversation.responses.push(answer);
  conversation.modifiedAt = timestamp();
}

export function* stepBeats(step: Step, sends: object[], delayMs: number): Generator<Beat> {
  if (step.do === "pause") yield { pauseMs: step.ms };
  else if (step.do === "hang") yield { stop: "hang" };
  else if (step.do === "cut") yield { stop: "cut" };
  else {
    const paced = step.do === "token" || step.do === "spacer" || step.do === "cite" || step.do === "tool";
    for (const send of sends) yield paced && delayMs > 0 ? { send, delayMs } : { send };
  }
}

export function tokenDelay(world: World, { words }: ScriptContext): number {
  if (words.has("burst")) return 0;
  return words.has("slow") ? words.number("slow") : world.options.tokenDelayMs;
}

/** Faults that depend on the account rather than on a word. */
export function firstFault(play: { account: Account; attachments: string[]; available: boolean }): Step[] | undefined {
  if (!play.available)
    return [{ do: "fault", fault: fault("Model is not available for this account.", "modelNotAvailable") }];
  const unknown = play.attachments.some((id) => !play.account.assets.has(id));
  return unknown
    ? [{ do: "fault", fault: fault("An attachment could not be loaded.", "attachmentLoadFailed") }]
    : undefined;
}

export function rememberConversation(account: Account, conversation: Conversation): void {
  account.conversations.delete(conversation.id);
  account.conversations.set(conversation.id, conversation);
  if (account.conversations.size > 200) account.conversations.delete(account.conversations.keys().next().value ?? "");
}

function chosenMode(
  body: Fields,
  account: Account,
): { name: Mode; era: "modelMode" | "modeId"; modelMode: string } | undefined {
  const modeId = textOf(body["modeId"]);
  if (modeId !== "") {
    const name = modeOfModeId(modeId);
    return name === undefined ? undefined : { name, era: "modeId", modelMode: `MODEL_MODE_${name.toUpperCase()}` };
  }
  const modelMode = textOf(body["modelMode"]) || "MODEL_MODE_AUTO";
  return { name: modeOfModelMode(modelMode, account), era: "modelMode", modelMode };
}

function userEcho({ body, place, script, attachments, modelMode }: ChatPlay): ReturnType<typeof responseObject> {
  const parent = textOf(body["parentResponseId"]);
  return responseObject({
    responseId: randomUuid(),
    message: script.prompt.message,
    sender: "human",
    ...(parent === "" ? {} : { parentResponseId: parent }),
    metadata: fieldsOf(body[place.flat ? "metadata" : "responseMetadata"]),
    model: `grok-4-${script.mode}`,
    ...(place.flat ? { requestMetadata: { mode: modelMode } } : {}),
    fileAttachments: attachments,
  });
}
