/**
 * {@code bench kv}: what each way of keeping keys and values costs a session, in bytes, in time, hot and cold, and in
 * how well the next token is foretold.
 *
 * <p>Read {@code KvBenchCommand}, {@code KvSubjects}, {@code KvBench}, {@code KvReport}.
 */
package io.tiercel.tools.kv;
