/** Runs requests on their sessions: batches what is there, answers first, settles after. */
package io.tiercel.appliance.infer;
