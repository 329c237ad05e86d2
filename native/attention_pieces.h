// The pieces of work that an attention task is cut into: some query rows of one head each.
#pragma once

#include "attention_block.h"
#include "kernels.h"
#include "team.h"

namespace provably::PROVABLY_TARGET {

// Panels of one piece of work: about 256 queries share each block of keys that is brought in.
constexpr size_t kPiecePanels = ceilDiv(256, kPanel);
constexpr size_t kPieceRows = kPiecePanels * kPanel;

// Some query rows of one head and all keys they may meet.
struct Piece {
  size_t head, keyHead;
  const uint32_t* rows;  // null: firstRow, firstRow + 1, …
  size_t firstRow, count;
  size_t segment, segmentEnd;  // of the tiles; equal when there are none: then all keys are met
};

inline size_t rowOf(const Piece& piece, size_t i) { return piece.rows ? piece.rows[i] : piece.firstRow + i; }

// Pieces of a task, numbered.
struct Pieces {
  size_t count;
  const uint32_t* tileOf;  // (count,), null without tiles
  const uint32_t* partOf;  // (count,): which of the tile's pieces
  size_t perHead;          // without tiles
};

// Rows of each piece of `rows` query rows: equal, whole panels, at most kPieceRows.
inline size_t rowsPerPiece(size_t rows) {
  const size_t pieces = ceilDiv(rows, kPieceRows);
  return pieces == 0 ? 0 : roundUp(ceilDiv(rows, pieces), kPanel);
}

// `slot`: scratch that stays until the task is done.
inline Pieces piecesOf(const AttentionLogits& t, Team& team, int slot) {
  if (!t.tiles.heads) {
    const size_t perHead = t.queryRows == 0 ? 0 : ceilDiv(t.queryRows, rowsPerPiece(t.queryRows));
    return {t.heads * perHead, nullptr, nullptr, perHead};
  }
  const auto piecesIn = [&](size_t tile) {
    const size_t rows = t.tiles.rowStart[tile + 1] - t.tiles.rowStart[tile];
    return rows == 0 ? 0 : ceilDiv(rows, rowsPerPiece(rows));
  };
  size_t count = 0;
  for (size_t tile = 0; tile < t.tiles.count; tile++) count += piecesIn(tile);
  uint32_t* tileOf = scratchOf<uint32_t>(team, slot, 2 * count + 1);
  uint32_t* partOf = tileOf + count;
  size_t at = 0;
  for (size_t tile = 0; tile < t.tiles.count; tile++)
    for (size_t part = 0; part < piecesIn(tile); part++, at++) {
      tileOf[at] = uint32_t(tile);
      partOf[at] = uint32_t(part);
    }
  return {count, tileOf, partOf, 0};
}

inline Piece pieceAt(const AttentionLogits& t, const Pieces& pieces, size_t number) {
  const size_t group = t.heads / t.keyHeads;
  if (!pieces.tileOf) {
    const size_t head = number / pieces.perHead, part = number % pieces.perHead, rows = rowsPerPiece(t.queryRows);
    return {head, head / group, nullptr, part * rows, smaller(rows, t.queryRows - part * rows), 0, 0};
  }
  const size_t tile = pieces.tileOf[number], start = t.tiles.rowStart[tile];
  const size_t rows = rowsPerPiece(t.tiles.rowStart[tile + 1] - start), first = start + pieces.partOf[number] * rows;
  return {t.tiles.heads[tile],
          t.tiles.heads[tile] / group,
          t.tiles.rows + first,
          0,
          smaller(rows, t.tiles.rowStart[tile + 1] - first),
          t.tiles.segmentStart[tile],
          t.tiles.segmentStart[tile + 1]};
}

}  // namespace provably::PROVABLY_TARGET
