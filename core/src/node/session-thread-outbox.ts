/** Collects what the session thread has to tell the main thread, so that one message carries all answers of a moment. */

import type { Answer, RefusalKind } from "../sessions/request.js";
import { answerCodes, type FromThread, type RowAnswer } from "./session-thread-messages.js";

export interface AnswerBatch {
  add(ticket: number, answer: Answer): void;
  post(): void;
}

export function createAnswerBatch(send: (message: FromThread) => void): AnswerBatch {
  let created: number[] = [];
  let rows: RowAnswer[] = [];
  let refusals: (readonly [number, RefusalKind])[] = [];

  return {
    add(ticket, answer) {
      if (!answer.ok) refusals.push([ticket, answer.refusal]);
      else if (answer.created) {
        const solo = answer.acknowledgement === "solo";
        created.push(ticket, solo ? answerCodes.createdSolo : answerCodes.createdReplicated, answer.epoch);
      } else {
        const { row, acknowledgement, epoch } = answer;
        rows.push({ ticket, row, created: false, acknowledgement, epoch });
      }
    },
    post() {
      if (created.length > 0) {
        send({ type: "created", flat: created });
        created = [];
      }
      if (rows.length > 0 || refusals.length > 0) {
        send({ type: "answers", rows, refusals });
        rows = [];
        refusals = [];
      }
    },
  };
}
