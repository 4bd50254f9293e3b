#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { VERSION } from '../version.ts'
import { EXIT, report, UsageError } from './exit.ts'

const program = new Command('twotower')
  .description('Run two-tower and other TensorFlow recommender exports on a CPU, without TensorFlow.')
  .version(VERSION)
  .showHelpAfterError('(add --help for what this command takes)')
  .exitOverride()

program
  .command('run')
  .description('answer requests, one JSON document a line, with what the model computes')
  .argument('<model>', 'a SavedModel folder or a converted bundle')
  .option('--signature <name>', 'for requests that name none (default: serving_default)')
  .option('--tags <tags>', 'the meta graph of a SavedModel, for example serve,gpu')
  .addHelpText('after', `\nExample:\n  echo '{"inputs": {"user_id": ["42"]}}' | twotower run export/`)
  .action(async (model: string, options) => (await import('./run.ts')).run(model, options))

program
  .command('convert')
  .description('turn a SavedModel into a flat bundle: manifest.json and weights.bin')
  .argument('<model>', 'a SavedModel folder')
  .requiredOption('-o, --output <folder>', 'the folder to write; a bundle that is there is replaced')
  .option('--tags <tags>', 'the meta graph of a SavedModel, for example serve,gpu')
  .addHelpText('after', '\nExample:\n  twotower convert export/ -o weights/movies')
  .action(async (model: string, options) => (await import('./convert.ts')).convert(model, options))

program
  .command('demo')
  .description('a trained model on real films: convert, embed, recommend, and compare with TensorFlow')
  .addHelpText('after', '\nExample:\n  twotower demo')
  .action(async () => (await import('./demo.ts')).demo())

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage
  else {
    report(error)
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed
  }
}
