/**
 * What about a host makes answers late: read from its files, said with the reason and with the command that mends it.
 * Read {@code Doctor}, {@code Finding}, then the checks in the order in which {@code Doctor} names them.
 */
package io.tiercel.ops.doctor;
