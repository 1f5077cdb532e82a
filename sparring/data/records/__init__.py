"""Data sets of any size in shards of fixed-size records, in a folder or in a store, read by ranges.

`sparring shards` imports a data set once. It writes its samples, encoded and in random order, as records of one size
into `.npy` files of about 64 MB, and last of all an index, `shards.json` (`index`). What is held out lies in shards of
its own. Training then reads blocks of up to 1,024 records by ranges, ahead of need (`reading`), keeps some of them on
the local disk (`cache`), and draws batches in an order that is a function of position and needs memory for two windows
of blocks, whatever the size of the set (`order`). Everything else, such as an evaluation, gets one fixed draw of the
set, which fits in memory. What grows with the set is the index: four bytes for each block.
"""
