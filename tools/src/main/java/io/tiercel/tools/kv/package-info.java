/**
 * {@code bench kv}: what each way of keeping keys and values costs a session, in bytes, in time, hot and cold, and in
 * how well the next token is foretold. {@code bench fork}: what sessions with the same past have in common.
 *
 * <p>Read {@code KvBenchCommand}, {@code KvSubjects}, {@code KvBench}, {@code KvReport}; {@code ForkBenchCommand}.
 */
package io.tiercel.tools.kv;
