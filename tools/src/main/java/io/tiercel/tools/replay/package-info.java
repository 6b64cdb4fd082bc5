/**
 * Commands that ask a journal: {@code replay query} and {@code replay export} in SQL, {@code replay markout} beside the
 * tape that was played to it. They only read it.
 */
package io.tiercel.tools.replay;
