// Faults planted in the wrappers around broker and store, to show that the checker finds them.
#pragma once

namespace weir::simulation {

enum class Sabotage {
  kNone,
  kCommitsTheLastOffset,  // last processed instead of last processed + 1
  kCommitsNoOffsets,      // predictions without the offsets they came from
  kCommitsOffsetsOnly,    // offsets without the predictions
  kDoesNotRewind,         // after an abort the source goes on where it was
  kFenceDoesNothing,      // a member that did not halt is not shut out
  kChangesAPrediction,    // by one unit in the last place
  kStampsAnOldEpoch,      // predictions name an epoch before the one that rules
  kStampsAnotherModel,    // predictions name a model that did not make them
  kSpoilsAMovedDataset,   // the file that arrives in used/ lacks its last byte
  kCopiesAMovedDataset,   // the file stays in the drop folder too
  kPublishesHalfAModel,   // the folder of a version appears before its files are whole
  kDropsSwapNotes,        // predictions without the note that their epoch took over
  kNotesALaterOffset,     // than the first one answered
  kTellsALaterEnd,        // of predictions and dead letters than the one that they have
  kBelievesEverybody,     // nobody asks who signed a control record
  kHearsOfHaltsLate,      // a scorer learns of a halt when the resume is there
  kDoesNotDepose,         // a trainer that takes over does not shut out the one before it
};

}  // namespace weir::simulation
